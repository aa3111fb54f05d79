/*
 * Ends a power-cut test at the first thing that is not as it must be.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "requirement.h"

#include <stdio.h>
#include <stdlib.h>

char where[200];
jmp_buf *when_not_held;

void require(bool holds, const char *what) {
    if (holds) {
        return;
    }
    if (when_not_held != NULL) {
        longjmp(*when_not_held, 1);
    }
    printf("WRONG: %s: %s\n", where, what);
    exit(1);
}
