/*
 * Enters a function image on a Cortex-M: register 9 is its RAM while it runs, and the caller's again after.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/function.h"

#if defined(__arm__)

int32_t tmc_function_enter(const void *code, uint32_t entry, void *ram, tmc_function_frame *frame) {
    const uintptr_t target = ((uintptr_t)code + entry) | 1U; /* Thumb */
    register uintptr_t r0 __asm__("r0") = (uintptr_t)frame;
    register uintptr_t r1 __asm__("r1") = (uintptr_t)ram;
    register uintptr_t r2 __asm__("r2") = target;
    /* r8 is there to keep the stack at a multiple of 8. */
    __asm__ volatile("push {r8, r9}\n\t"
                     "mov r9, r1\n\t"
                     "blx r2\n\t"
                     "pop {r8, r9}"
                     : "+r"(r0), "+r"(r1), "+r"(r2)
                     :
                     : "r3", "r12", "lr", "cc", "memory"
#if defined(__ARM_FP)
                       ,
                       "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13",
                       "s14", "s15"
#endif
    );
    return (int32_t)r0;
}

#else

/* No image passes the check here: its machine is none of these. */
int32_t tmc_function_enter(const void *code, uint32_t entry, void *ram, tmc_function_frame *frame) {
    (void)code;
    (void)entry;
    (void)ram;
    (void)frame;
    return -1;
}

#endif
