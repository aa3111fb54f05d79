/*
 * What one boot leaves to the next in memory that a reset does not clear: which handler ran, and how the boot
 * ended. A record and its rules, without Zephyr: watchdog.c knows where the record is and what resets the
 * board.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_LIFE_H
#define TMC_LIFE_H

#include <stddef.h>
#include <stdint.h>

#define LIFE_WORK_SIZE 24 /* with the final zero */

/* Kinds of a crash beside the traps (1-8, tmc_trap_kind). */
enum { LIFE_WATCHDOG = 16, LIFE_FAULT = 17 };

typedef struct {
    int32_t kind; /* 0: none */
    uint32_t site;
    uint32_t boot;
    char work[LIFE_WORK_SIZE];
} life_crash;

typedef struct {
    uint32_t begin; /* two marks: after power-on, memory holds anything */
    uint32_t boot;
    uint32_t state;
    int32_t kind;
    uint32_t site;
    char entry[LIFE_WORK_SIZE]; /* the handler that runs; "" = none */
    char work[LIFE_WORK_SIZE];  /* what it said it does */
    uint32_t end;
} life_record;

typedef enum {
    LIFE_UNKNOWN, /* no memory of a boot: the power was off */
    LIFE_ENDED,   /* it restarted on purpose */
    LIFE_CRASHED, /* it wrote down a trap or a fault */
    LIFE_CUT      /* it said nothing: the watchdog, or somebody pressed reset */
} life_outcome;

/* How the boot before ended; `crash` is filled for LIFE_CRASHED and, as if by the watchdog, for LIFE_CUT. */
life_outcome life_before(const life_record *record, life_crash *crash);
/* This boot begins. */
void life_begin(life_record *record, uint32_t boot);
/* A handler begins; ends. */
void life_enter(life_record *record, const char *entry);
void life_leave(life_record *record);
/* What the handler does; size 0 = nothing in particular. Not terminated; cut to what fits. */
void life_work(life_record *record, const uint8_t *text, size_t size);
/* The board is about to be reset on purpose; because of a crash. The first crash of a boot counts. */
void life_end(life_record *record);
void life_crashed(life_record *record, int32_t kind, uint32_t site);
/* Is this, read from flash, a crash? Whatever is in it, texts are terminated afterwards. */
int life_valid(life_crash *crash);

#endif
