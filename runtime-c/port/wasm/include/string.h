/*
 * What runtime-c needs of string.h, for a target without a C library (memory.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_WASM_STRING_H
#define TMC_WASM_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *bytes, int value, size_t size);

#endif
