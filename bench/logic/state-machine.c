/* A sensor that watches a pump: a moving average over a window drives a state machine.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"
#include "tmc/port.h"

#define WINDOW 16

enum state { IDLE, STARTING, RUNNING, ALARM, FAULT };

static const char *const state_names[] = {"idle", "starting", "running", "alarm", "fault"};

struct pump {
    enum state state;
    int32_t transitions;
    int32_t ticks;
    int32_t sum;
    uint32_t at;
    int16_t window[WINDOW];
    int32_t low;
    int32_t high;
};

static void enter(struct pump *p, enum state state) {
    p->state = state;
    p->ticks = 0;
    p->transitions++;
}

/* Puts the value in place of the oldest and gives the mean of the window. */
static int32_t average(struct pump *p, int16_t value) {
    p->sum += value - p->window[p->at];
    p->window[p->at] = value;
    p->at = (p->at + 1U) % WINDOW;
    return p->sum >> 4;
}

static void pump_sample(struct pump *p, int16_t value) {
    const int32_t level = average(p, value);
    p->ticks++;
    switch (p->state) {
    case IDLE:
        if (level > p->low) {
            enter(p, STARTING);
        }
        break;
    case STARTING:
        if (p->ticks >= 10) {
            enter(p, level > p->low ? RUNNING : IDLE);
        }
        break;
    case RUNNING:
        if (level > p->high) {
            enter(p, ALARM);
        } else if (level < p->low) {
            enter(p, IDLE);
        }
        break;
    case ALARM:
        if (level < p->high - 100) {
            enter(p, RUNNING);
        } else if (p->ticks > 60) {
            enter(p, FAULT);
        }
        break;
    case FAULT:
        if (p->ticks > 100) {
            enter(p, IDLE);
        }
        break;
    }
}

static struct pump pump = {.low = 400, .high = 1200};

void tmc_program_main(void) {
    uint32_t random = 9U;
    int32_t level = 0;
    int32_t faults = 0;
    for (int i = 0; i < 40000; i++) {
        /* A random walk that turns back at 0 and 2000. */
        level += (int32_t)(random_next(&random) & 0xffU) - 127;
        if (level < 0 || level > 2000) {
            level = 800;
        }
        pump_sample(&pump, (int16_t)level);
        if (pump.state == FAULT) {
            faults++;
        }
    }
    const char *name = state_names[pump.state];
    int32_t len = 0;
    while (name[len] != '\0') {
        len++;
    }
    tmc_log_str(TMC_STR("state-machine"));
    tmc_log_str((tmc_str){(const uint8_t *)name, len});
    tmc_log_i32(pump.transitions);
    tmc_log_i32(faults);
    tmc_log_end();
}
