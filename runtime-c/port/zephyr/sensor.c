/*
 * The Zephyr port: rings between sensors and the app. A source that waits for hardware is read by the
 * sampling thread at the rate asked for; one whose hardware queues samples is drained by it in time; a
 * computed one is brought up to date when the app looks. Frames that find the ring full are counted as lost,
 * and those whose samples the hardware lost. One sensor samples at a time for each slot of
 * CONFIG_TMC_SENSORS_MAX.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pace.h"
#include "zport.h"

#include <string.h>
#include <zephyr/kernel.h>

#define RING CONFIG_TMC_SENSOR_RING_FRAMES
/* A queue without a sample for so long has lost them: the sensor does not sample. */
#define SILENCE_TICKS (CONFIG_SYS_CLOCK_TICKS_PER_SEC / 2)

typedef struct {
    const zport_source *source;
    volatile bool running;
    volatile uint32_t started; /* counts starts: a frame read across one is dropped */
    pace pace;
    int64_t drained; /* tick of the last drain, for a queue */
    uint32_t lost;
    uint32_t oldest;
    uint32_t used;
    uint32_t most;          /* used at once, since boot */
    struct k_spinlock lock; /* over lost, oldest, used, most and the ring */
    float ring[RING * ZPORT_CHANNELS_MAX];
} slot;

static slot slots[CONFIG_TMC_SENSORS_MAX];

static slot *at(int32_t sensor) {
    return sensor >= 0 && sensor < CONFIG_TMC_SENSORS_MAX && slots[sensor].source != NULL ? &slots[sensor]
                                                                                          : NULL;
}

static void push(slot *s, const float *frame) {
    k_spinlock_key_t key = k_spin_lock(&s->lock);
    if (s->used == RING) {
        s->lost++;
    } else {
        uint32_t index = (s->oldest + s->used) % RING;
        memcpy(&s->ring[index * ZPORT_CHANNELS_MAX], frame, sizeof(float) * (size_t)s->source->channels);
        s->used++;
        s->most = MAX(s->most, s->used);
    }
    k_spin_unlock(&s->lock, key);
}

#ifdef CONFIG_TMC_SENSOR_THREAD
/* All sources are read by the thread. */
static void advance(slot *s) {
    ARG_UNUSED(s);
}
#else
/* Takes every frame that is due by now from a computed source. */
static void advance(slot *s) {
    if (!s->running || s->source->own_thread) {
        return;
    }
    int64_t now = k_uptime_ticks();
    while (pace_due(&s->pace) <= now) {
        float frame[ZPORT_CHANNELS_MAX];
        (void)s->source->read(s->source, frame);
        push(s, frame);
        pace_next(&s->pace);
    }
}
#endif

/* ---- the sampling thread
 * --------------------------------------------------------------------------------------------- */

#ifdef CONFIG_TMC_SENSOR_THREAD
static K_SEM_DEFINE(work, 0, 1);

/* When the thread has to look at a running slot. */
static int64_t due_tick(const slot *s) {
    if (s->source->drain == NULL) {
        return pace_due(&s->pace);
    }
    int64_t period = (int64_t)CONFIG_SYS_CLOCK_TICKS_PER_SEC * 1000 / s->pace.rate_mhz;
    return s->drained + MAX(MAX(s->source->interval(), period), 1);
}

static void push_frame(void *context, const float *frame) {
    push(context, frame);
}

static slot *running_slot(const zport_source *source) {
    for (int i = 0; i < CONFIG_TMC_SENSORS_MAX; i++) {
        if (slots[i].source == source && slots[i].running) {
            return &slots[i];
        }
    }
    return NULL;
}

void zport_sensor_sample(const zport_source *source, const float *sample, int64_t at) {
    slot *s = running_slot(source);
    if (s != NULL) {
        pace_sample(&s->pace, sample, source->channels, at, push_frame, s);
    }
}

void zport_sensor_gap(const zport_source *source, int64_t until) {
    slot *s = running_slot(source);
    if (s != NULL) {
        s->lost += pace_gap(&s->pace, until);
    }
}

static void drain(slot *s) {
    s->drained = k_uptime_ticks();
    s->source->drain();
    if (s->drained - s->pace.newest > SILENCE_TICKS) {
        zport_sensor_gap(s->source, s->drained - SILENCE_TICKS);
    }
}

/* The running slot that is due first, NULL when none runs. */
static slot *next_slot(void) {
    slot *next = NULL;
    for (int i = 0; i < CONFIG_TMC_SENSORS_MAX; i++) {
        slot *s = &slots[i];
        if (s->running && s->source->own_thread && (next == NULL || due_tick(s) < due_tick(next))) {
            next = s;
        }
    }
    return next;
}

static void sample(void *a, void *b, void *c) {
    ARG_UNUSED(a);
    ARG_UNUSED(b);
    ARG_UNUSED(c);
    for (;;) {
        slot *s = next_slot();
        if (s == NULL) {
            (void)k_sem_take(&work, K_FOREVER);
            continue;
        }
        /* A start or stop of another sensor ends the wait early: look again. */
        if (k_sem_take(&work, K_TIMEOUT_ABS_TICKS(due_tick(s))) == 0) {
            continue;
        }
        if (s->source->drain != NULL) {
            drain(s);
            continue;
        }
        float frame[ZPORT_CHANNELS_MAX];
        uint32_t started = s->started;
        bool answered = s->source->read(s->source, frame);
        if (started != s->started) {
            continue;
        }
        if (answered) {
            push(s, frame);
        } else {
            s->lost++;
        }
        pace_next(&s->pace);
        /* Frames that the bus was too slow for are lost, not read late. */
        while (s->running && pace_due(&s->pace) < k_uptime_ticks() - CONFIG_SYS_CLOCK_TICKS_PER_SEC / 50) {
            s->lost++;
            pace_next(&s->pace);
        }
    }
}

K_THREAD_DEFINE(tmc_sensors, CONFIG_TMC_SENSOR_STACK_SIZE, sample, NULL, NULL, NULL,
                CONFIG_TMC_SENSOR_PRIORITY, 0, 0);

static void wake(void) {
    k_sem_give(&work);
}
#else
static void wake(void) {
}
#endif

bool zport_sensors_running(void) {
    for (int i = 0; i < CONFIG_TMC_SENSORS_MAX; i++) {
        if (slots[i].running) {
            return true;
        }
    }
    return false;
}

/* ---- what the app calls
 * ------------------------------------------------------------------------------------------------- */

int32_t tmc_port_sensor_open(tmc_str name) {
    int32_t count = 0;
    const zport_source *sources = zport_sources(&count);
    for (int32_t i = 0; i < count; i++) {
        const zport_source *source = &sources[i];
        if (name.len != (int32_t)strlen(source->name) ||
            memcmp(name.ptr, source->name, (size_t)name.len) != 0) {
            continue;
        }
        for (int32_t n = 0; n < CONFIG_TMC_SENSORS_MAX; n++) {
            if (slots[n].source == source || slots[n].source == NULL) {
                slots[n].source = source;
                return n;
            }
        }
        zport_log(ZPORT_WARN, "more sensors are open than CONFIG_TMC_SENSORS_MAX");
    }
    return -1;
}

int32_t tmc_port_sensor_channels(int32_t sensor) {
    const slot *s = at(sensor);
    return s != NULL ? s->source->channels : 0;
}

bool tmc_port_sensor_start(int32_t sensor, int32_t rate_mhz) {
    slot *s = at(sensor);
    if (s == NULL || rate_mhz < 1 || rate_mhz > ZPORT_RATE_MHZ_MAX) {
        return false;
    }
    s->running = false;
    if (s->source->start != NULL && !s->source->start(s->source, rate_mhz)) {
        return false;
    }
    k_spinlock_key_t key = k_spin_lock(&s->lock);
    s->drained = k_uptime_ticks();
    pace_start(&s->pace, rate_mhz, CONFIG_SYS_CLOCK_TICKS_PER_SEC, s->drained);
    s->lost = 0;
    s->oldest = 0; /* frames of another rate do not mix with the new ones */
    s->used = 0;
    k_spin_unlock(&s->lock, key);
    s->started++;
    s->running = true;
    wake();
    return true;
}

int32_t tmc_port_sensor_take(int32_t sensor, tmc_arr_f32 out) {
    slot *s = at(sensor);
    if (s == NULL || out.ptr == NULL) {
        return 0;
    }
    advance(s);
    int32_t channels = s->source->channels;
    int32_t room = out.len / channels;
    int32_t taken = 0;
    k_spinlock_key_t key = k_spin_lock(&s->lock);
    for (; taken < room && s->used > 0; taken++) {
        memcpy(&out.ptr[taken * channels], &s->ring[s->oldest * ZPORT_CHANNELS_MAX],
               sizeof(float) * (size_t)channels);
        s->oldest = (s->oldest + 1) % RING;
        s->used--;
    }
    k_spin_unlock(&s->lock, key);
    return taken;
}

uint32_t tmc_port_sensor_lost(int32_t sensor) {
    slot *s = at(sensor);
    if (s == NULL) {
        return 0;
    }
    advance(s);
    return s->lost;
}

int32_t tmc_port_sensor_most(int32_t sensor) {
    const slot *s = at(sensor);
    return s != NULL ? (int32_t)s->most : 0;
}

void tmc_port_sensor_stop(int32_t sensor) {
    slot *s = at(sensor);
    if (s != NULL) {
        advance(s);
        if (s->running && s->source->stop != NULL) {
            s->source->stop(s->source);
        }
        s->running = false; /* what the ring holds can still be taken */
        wake();
    }
}
