/*
 * What must hold in the power-cut tests, and where they are when it does not.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_REQUIREMENT_H
#define TEST_REQUIREMENT_H

#include <setjmp.h>
#include <stdbool.h>

/* What is tried now: kind, operation, fault. */
extern char where[200];
/* Where to go on when something does not hold; NULL: the test says what it was, and ends with 1. */
extern jmp_buf *when_not_held;

void require(bool holds, const char *what);

#endif
