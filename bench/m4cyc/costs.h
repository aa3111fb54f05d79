/*
 * What an instruction of the Cortex-M4 costs without memory delays, from its disassembly: table 3-1 of the
 * processor's technical reference manual.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef M4CYC_COSTS_H
#define M4CYC_COSTS_H

#include <stdbool.h>

typedef enum { KIND_DATA, KIND_LOAD, KIND_STORE, KIND_MULTIPLE, KIND_FLOAT, KIND_BRANCH, KIND_IT } kind;

/* How an instruction can leave the straight line. */
typedef enum { GOES_ON, JUMPS, MAY_JUMP, JUMPS_INDIRECTLY } leaving;

typedef struct {
    kind kind;
    int cycles; /* not taken, if it is a branch */
    leaving leaving;
} cost;

cost cost_of(const char *disassembly);

/* Whether a load or store `next` needs its address from the result of the instruction `before`. */
bool address_depends(const char *before, const char *next);

#endif
