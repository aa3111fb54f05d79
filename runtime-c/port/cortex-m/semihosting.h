/*
 * Semihosting: how an image in a debugger or QEMU writes, reads its command line and ends.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_SEMIHOSTING_H
#define TMC_SEMIHOSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { SEMIHOSTING_STDOUT, SEMIHOSTING_STDERR } semihosting_stream;

void semihosting_write(semihosting_stream stream, const uint8_t *bytes, size_t size);
/* Whether the command line of the image contains this word. */
bool semihosting_has_argument(const char *word);
/* Seconds since 1970. */
uint32_t semihosting_time(void);
_Noreturn void semihosting_exit(uint32_t code);

#endif
