/*
 * The Zephyr port: which frames of a sensor are due, at the rate that was asked for, and which sample of a
 * queue in the hardware each of them is. Without Zephyr; a time is a tick of any clock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PACE_H
#define TMC_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_CHANNELS_MAX 3

typedef struct {
    int64_t origin; /* ticks; `made` counts from here */
    int64_t made;   /* frames that were due and are dealt with */
    int64_t newest; /* when the newest sample was taken; the start while there is none */
    int32_t rate_mhz;
    int32_t ticks_per_s;
    bool begun;                    /* there was a sample, or frames were given up */
    bool holding;                  /* `held` is the newest sample */
    float held[PACE_CHANNELS_MAX]; /* a frame is the newest sample that is not after it */
} pace;

/* Frames at rate_mhz (1 to 10,000,000 thousandths of a hertz) from the tick `now` on; the first is due one
 * period later. */
void pace_start(pace *p, int32_t rate_mhz, int32_t ticks_per_s, int64_t now);
/* The tick at which the next frame is due. */
int64_t pace_due(const pace *p);
/* The next frame is dealt with. */
void pace_next(pace *p);
/*
 * A sample of `channels` values (1 to 3) was taken at the tick `at`, later than the one before. Gives each
 * frame due before it to push; frames start with the first sample.
 */
void pace_sample(pace *p, const float *sample, int32_t channels, int64_t at,
                 void (*push)(void *context, const float *frame), void *context);
/* Samples up to the tick `until` are gone: how many frames that were due are lost with them. */
uint32_t pace_gap(pace *p, int64_t until);

#endif
