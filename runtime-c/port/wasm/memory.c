/*
 * memcpy and its kind for WebAssembly without a C library. Plain loops: copies of functions are small, and
 * the engine compiles them well enough.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdint.h>
#include <string.h>

/* The compiler would make a call of memcpy of the loop in memcpy. */
#define TMC_PLAIN_LOOP __attribute__((no_builtin))

TMC_PLAIN_LOOP void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((((uintptr_t)t | (uintptr_t)f) & 3U) == 0U) {
        for (; size >= 4U; size -= 4U) {
            *(uint32_t *)(void *)t = *(const uint32_t *)(const void *)f;
            t += 4;
            f += 4;
        }
    }
    for (; size > 0U; size--) {
        *t++ = *f++;
    }
    return to;
}

TMC_PLAIN_LOOP void *memmove(void *to, const void *from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t <= (uintptr_t)f) {
        return memcpy(to, from, size);
    }
    while (size > 0U) {
        size--;
        t[size] = f[size];
    }
    return to;
}

TMC_PLAIN_LOOP void *memset(void *to, int value, size_t size) {
    uint8_t *t = to;
    const uint32_t word = (uint32_t)(uint8_t)value * 0x01010101U;
    for (; size > 0U && ((uintptr_t)t & 3U) != 0U; size--) {
        *t++ = (uint8_t)value;
    }
    for (; size >= 4U; size -= 4U) {
        *(uint32_t *)(void *)t = word;
        t += 4;
    }
    for (; size > 0U; size--) {
        *t++ = (uint8_t)value;
    }
    return to;
}

TMC_PLAIN_LOOP int memcmp(const void *a, const void *b, size_t size) {
    const uint8_t *x = a;
    const uint8_t *y = b;
    for (size_t i = 0; i < size; i++) {
        if (x[i] != y[i]) {
            return (int)x[i] - (int)y[i];
        }
    }
    return 0;
}

TMC_PLAIN_LOOP void *memchr(const void *bytes, int value, size_t size) {
    const uint8_t *b = bytes;
    for (size_t i = 0; i < size; i++) {
        if (b[i] == (uint8_t)value) {
            return (void *)(uintptr_t)(b + i);
        }
    }
    return NULL;
}
