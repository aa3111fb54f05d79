/*
 * CMSDK timers 0 and 1. Under `-icount shift=6` one instruction lasts 64 ns and a tick 40 ns: n instructions
 * are floor(8 n / 5) ticks after the start, so n = ceil(5 ticks / 8) exactly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "timers.h"

typedef struct {
    volatile uint32_t control; /* 1 = run */
    volatile uint32_t value;   /* counts down */
    volatile uint32_t reload;
    volatile uint32_t interrupt; /* 1 after it passed zero; write 1 to clear */
} cmsdk_timer;

#define COUNTER ((cmsdk_timer *)0x40000000U)
#define CLOCK ((cmsdk_timer *)0x40001000U)
#define CONTROL_RUN 1U
#define CONTROL_INTERRUPT 8U /* sets the interrupt flag; the NVIC keeps it from the CPU */

static uint32_t last_value;
static uint64_t elapsed;

void timers_start_clock(void) {
    CLOCK->reload = UINT32_MAX;
    CLOCK->value = UINT32_MAX;
    CLOCK->control = CONTROL_RUN;
    last_value = UINT32_MAX;
    elapsed = 0U;
}

uint64_t timers_elapsed_ticks(void) {
    const uint32_t now = CLOCK->value;
    elapsed += last_value - now;
    last_value = now;
    return elapsed;
}

int64_t timers_count_instructions(void (*body)(void)) {
    COUNTER->control = 0U;
    COUNTER->reload = UINT32_MAX;
    COUNTER->value = UINT32_MAX;
    COUNTER->interrupt = 1U;
    COUNTER->control = CONTROL_RUN | CONTROL_INTERRUPT;
    body();
    const uint32_t ticks = UINT32_MAX - COUNTER->value;
    const uint32_t wrapped = COUNTER->interrupt;
    COUNTER->control = 0U;
    return wrapped != 0U ? -1 : (int64_t)(((uint64_t)ticks * 5U + 7U) / 8U);
}
