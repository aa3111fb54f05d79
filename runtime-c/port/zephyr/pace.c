/*
 * The Zephyr port: which frames are due, see pace.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pace.h"

#include <string.h>

#define RATE_SCALE 1000 /* rate_mhz is in thousandths */

void pace_start(pace *p, int32_t rate_mhz, int32_t ticks_per_s, int64_t now) {
    memset(p, 0, sizeof *p);
    p->origin = now;
    p->newest = now;
    p->rate_mhz = rate_mhz;
    p->ticks_per_s = ticks_per_s;
}

int64_t pace_due(const pace *p) {
    return p->origin + (p->made + 1) * p->ticks_per_s * RATE_SCALE / p->rate_mhz;
}

/* Once a thousand seconds, in which exactly rate_mhz frames are due, the product in pace_due is made small
 * again. */
void pace_next(pace *p) {
    p->made++;
    if (p->made >= p->rate_mhz) {
        p->made -= p->rate_mhz;
        p->origin += (int64_t)p->ticks_per_s * RATE_SCALE;
    }
}

void pace_sample(pace *p, const float *sample, int32_t channels, int64_t at,
                 void (*push)(void *context, const float *frame), void *context) {
    if (!p->begun) {
        p->begun = true;
        p->origin += at - pace_due(p); /* the sensor took its time to start */
    }
    while (pace_due(p) < at) {
        push(context, p->holding ? p->held : sample);
        pace_next(p);
    }
    memcpy(p->held, sample, sizeof(float) * (size_t)channels);
    p->holding = true;
    p->newest = at;
}

uint32_t pace_gap(pace *p, int64_t until) {
    uint32_t lost = 0;
    while (pace_due(p) <= until) {
        lost++;
        pace_next(p);
    }
    p->begun = true;
    p->holding = false;
    return lost;
}
