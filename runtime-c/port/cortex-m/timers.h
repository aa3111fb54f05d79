/*
 * The two CMSDK timers of the mps2 machines: a free-running clock, and an instruction counter.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_TIMERS_H
#define TMC_TIMERS_H

#include <stdint.h>

#define TIMERS_HZ 25000000U

void timers_start_clock(void);
/* Since timers_start_clock. Must be called at least every 171 s to notice each wrap. */
uint64_t timers_elapsed_ticks(void);
/* Runs body and returns the executed instructions with those of the measurement itself (measure an empty
 * function to know them). Exact under QEMU's `-icount shift=6`. -1: more than 2.6 * 10^9. */
int64_t timers_count_instructions(void (*body)(void));

#endif
