/*
 * The square root as the one instruction that it is: sqrtf of math.h also sets errno.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef BENCH_SQUARE_ROOT_H
#define BENCH_SQUARE_ROOT_H

#ifdef __ARM_FP
static inline float square_root(float v) {
    float r;
    __asm__("vsqrt.f32 %0, %1" : "=t"(r) : "t"(v));
    return r;
}
#else
#include <math.h>

static inline float square_root(float v) {
    return sqrtf(v);
}
#endif

#endif
