/*
 * Fuzzing of the compiled node: a port that is a few variables, and the player of a session (session.h). Time
 * goes on only by records; every session begins with the node as it was linked. The sensor gives the frames
 * that records bring; storage keeps a few values.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 4
#define VALUE_MAX 512
#define CHANNELS 3
#define LONGEST_DEADLINE_MS 3600000U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void fuzz_model_invoke(int32_t model);

/* ---- the node as it was linked ---- */

extern uint64_t __start_node_bss[], __stop_node_bss[], __start_node_data[], __stop_node_data[];
static uint64_t *image;

/* Word by word and volatile: memcpy would meet the redzones of the sanitizer, which are part of what is kept.
 */
__attribute__((no_sanitize("address", "undefined"))) static void
copy_words(uint64_t *to, const uint64_t *from, const uint64_t *end) {
    while (from < end) {
        *(volatile uint64_t *)to++ = *(const volatile uint64_t *)from++;
    }
}

static void reset(void) {
    const size_t data_words = (size_t)(__stop_node_data - __start_node_data);
    const size_t bss_words = (size_t)(__stop_node_bss - __start_node_bss);
    if (image == NULL) {
        image = malloc((data_words + bss_words) * sizeof *image);
        copy_words(image, __start_node_data, __stop_node_data);
        copy_words(image + data_words, __start_node_bss, __stop_node_bss);
    } else {
        copy_words(__start_node_data, image, image + data_words);
        copy_words(__start_node_bss, image + data_words, image + data_words + bss_words);
    }
}

/* ---- the port ---- */

static uint64_t now_us;
static uint32_t boots;
static bool connected;
static bool wanted; /* to be connected */
static bool subscribed;
static bool reliable;   /* nothing was lost in this session */
static uint32_t faults; /* so many publish calls fail */
static uint32_t frames; /* of the sensor, not yet taken */
static uint32_t pattern;
static bool sampling;
static bool storage_fails;
static uint32_t wake_ms;
static bool wake_asked;
static struct {
    uint8_t key[32];
    int32_t key_size;
    uint8_t value[VALUE_MAX];
    int32_t size;
} stored[KEYS_MAX];

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    (void)bytes;
    (void)size;
}

uint32_t tmc_port_clock_ms(void) {
    return (uint32_t)(now_us / 1000U);
}

uint32_t tmc_port_clock_us(void) {
    return (uint32_t)now_us;
}

static uint32_t random_word(void) {
    pattern = pattern * 1664525U + 1013904223U;
    return pattern >> 3;
}

uint32_t tmc_port_random_u32(void) {
    return random_word();
}

tmc_str tmc_port_node_id(void) {
    return TMC_STR(NODE_ID);
}

tmc_str tmc_port_server_id(void) {
    return TMC_STR("edge");
}

uint32_t tmc_port_boot_counter(void) {
    return boots;
}

int32_t tmc_port_reset_reason(void) {
    return 1;
}

void tmc_port_at_work(tmc_str what) {
    if (what.len < 0 || (what.len > 0 && what.ptr == NULL)) {
        finding("work without a name");
    }
}

int32_t tmc_port_stack_left(void) {
    return 0;
}

int32_t tmc_port_stack_free(void) {
    return (int32_t)(pattern >> 20) - 1;
}

int32_t tmc_port_crash_kind(void) {
    return boots > 1 ? 16 : 0;
}

uint32_t tmc_port_crash_site(void) {
    return pattern;
}

uint32_t tmc_port_crash_boot(void) {
    return boots - 1;
}

tmc_str tmc_port_crash_work(void) {
    return TMC_STR("data.collect");
}

bool tmc_port_bus_will(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    watch_publish(topic, payload, qos, retain, true);
    return true;
}

bool tmc_port_bus_connect(void) {
    wanted = true;
    return true;
}

bool tmc_port_bus_publish(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain) {
    const bool sent = connected && faults == 0;
    faults -= faults > 0 ? 1U : 0U;
    reliable = reliable && sent;
    watch_publish(topic, payload, qos, retain, sent);
    if (sent && topic.ptr[topic.len - 1] == 'c') {
        served_wish(payload);
    }
    return sent;
}

bool tmc_port_bus_subscribe(tmc_str topic, int32_t qos) {
    const tmc_str prefix = TMC_STR(TOPIC_PREFIX);
    if (topic.len != prefix.len + 1 || memcmp(topic.ptr, prefix.ptr, (size_t)prefix.len) != 0 ||
        memchr("xrc", topic.ptr[prefix.len], 3) == NULL || qos != 1) {
        finding("subscribed to a foreign topic");
    }
    subscribed = connected && (subscribed || topic.ptr[prefix.len] == 'x');
    return connected;
}

bool tmc_port_bus_connected(void) {
    return connected;
}

int32_t tmc_port_sensor_open(tmc_str name) {
    return name.len == 13 && memcmp(name.ptr, "accelerometer", 13) == 0 ? 0 : -1;
}

int32_t tmc_port_sensor_channels(int32_t sensor) {
    return sensor == 0 ? CHANNELS : 0;
}

bool tmc_port_sensor_start(int32_t sensor, int32_t rate_mhz) {
    sampling = sensor == 0 && rate_mhz >= 1 && rate_mhz <= 10000000;
    return sampling;
}

int32_t tmc_port_sensor_take(int32_t sensor, tmc_arr_f32 out) {
    if (sensor != 0 || !sampling || out.ptr == NULL) {
        return 0;
    }
    const uint32_t room = (uint32_t)(out.len / CHANNELS);
    const uint32_t taken = frames < room ? frames : room;
    for (uint32_t i = 0; i < taken * CHANNELS; i++) {
        const uint32_t bits = random_word() ^ random_word() << 16;
        if ((pattern >> 28) == 0) { /* whatever a float can be: infinite, no number, subnormal */
            memcpy(&out.ptr[i], &bits, sizeof bits);
        } else {
            out.ptr[i] = (float)(int32_t)bits / 1e9F;
        }
    }
    frames -= taken;
    return (int32_t)taken;
}

uint32_t tmc_port_sensor_lost(int32_t sensor) {
    return sensor == 0 ? pattern >> 30 : 0;
}

int32_t tmc_port_sensor_most(int32_t sensor) {
    return sensor == 0 ? (int32_t)(pattern >> 22) : 0;
}

void tmc_port_sensor_stop(int32_t sensor) {
    sampling = sampling && sensor != 0;
}

int32_t tmc_port_storage_read(tmc_str key, tmc_arr_u8 out) {
    for (int i = 0; i < KEYS_MAX; i++) {
        if (stored[i].key_size == key.len && memcmp(stored[i].key, key.ptr, (size_t)key.len) == 0) {
            const int32_t n = stored[i].size < out.len ? stored[i].size : out.len;
            memcpy(out.ptr, stored[i].value, (size_t)n);
            return stored[i].size;
        }
    }
    return -1;
}

bool tmc_port_storage_write(tmc_str key, tmc_arr_u8 value) {
    if (key.len < 1 || key.len > 32 || value.len < 0) {
        finding("a setting that no port would store");
    }
    if (storage_fails || value.len > VALUE_MAX) {
        return false;
    }
    for (int i = 0; i < KEYS_MAX; i++) {
        const bool same =
            stored[i].key_size == key.len && memcmp(stored[i].key, key.ptr, (size_t)key.len) == 0;
        if (same || stored[i].key_size == 0) {
            memcpy(stored[i].key, key.ptr, (size_t)key.len);
            stored[i].key_size = key.len;
            memcpy(stored[i].value, value.ptr, (size_t)value.len);
            stored[i].size = value.len;
            return true;
        }
    }
    return false;
}

int32_t tmc_port_actuator_open(tmc_str name) {
    return name.len == 5 && memcmp(name.ptr, "led-1", 5) == 0 ? 0 : -1;
}

int32_t tmc_port_actuator_channels(int32_t actuator) {
    return actuator == 0 ? 1 : 0;
}

bool tmc_port_actuator_write(int32_t actuator, tmc_arr_f32 values) {
    if (actuator != 0 || values.len != 1 || values.ptr[0] != values.ptr[0]) {
        finding("a value that no actuator would take");
    }
    return (pattern >> 31) == 0;
}

void tmc_port_wake_at(uint32_t at_ms) {
    wake_asked = true;
    wake_ms = at_ms;
}

void tmc_port_restart(void) {
}

void tmc_port_fatal(const tmc_trap_info *info) {
    fprintf(stderr, "trap %d at site %ld\n", (int)info->kind, (long)info->site);
    finding("a trap that nothing caught");
}

/* The image's models compute in one call of sixteen, as their input says; else a copy stands for them: their
 * kernels are fuzzed elsewhere. models.c is compiled with tmc_model_invoke renamed. */
void tmc_model_invoke(int32_t model) {
    const tmc_arr_i8 input = tmc_model_input(model, 0);
    const tmc_arr_i8 output = tmc_model_output(model, 0);
    if ((input.ptr[0] & 15) == 0) {
        fuzz_model_invoke(model);
    } else {
        memmove(output.ptr, input.ptr, (size_t)output.len);
    }
}

/* ---- calls into the node ---- */

static void returned(tmc_trap_kind kind) {
    if (kind != TMC_TRAP_NONE) {
        finding("an entry of the node ended with a trap");
    }
    if (reliable) {
        watch_queue();
    }
    if (wake_asked && wake_ms - tmc_port_clock_ms() > 1000U) {
        finding("the node wants to sleep for more than a second");
    }
    wake_asked = false;
}

static void tick(void) {
    returned(tmc_app_tick(tmc_port_clock_ms()));
}

static void pass(uint32_t ms) {
    now_us += (uint64_t)ms * 1000U;
    tick();
}

static void link(bool up) {
    if (connected == up) {
        return;
    }
    connected = up;
    subscribed = false;
    returned(up ? tmc_app_connected() : tmc_app_disconnected());
    reliable = reliable && up;
}

static void start(void) {
    reset();
    boots++;
    connected = false;
    sampling = false;
    wanted = false;
    watch_begin();
    reliable = false; /* until it is connected */
    returned(tmc_app_start());
    if (!wanted) {
        finding("the node does not want to connect");
    }
    link(true);
    reliable = faults == 0;
}

/* Copies to memory of exactly this size: the sanitizer sees what is read beyond. False: end the session. */
static bool message(const uint8_t *topic, size_t topic_size, const uint8_t *bytes, size_t size) {
    const bool heard = topic_size == sizeof TOPIC_PREFIX && memcmp(topic, TOPIC_PREFIX "x", topic_size) == 0;
    if (!subscribed || (heard && !watch_arrival(bytes, size))) {
        return !subscribed;
    }
    uint8_t *const name = malloc(topic_size == 0 ? 1 : topic_size);
    uint8_t *const payload = malloc(size == 0 ? 1 : size);
    memcpy(name, topic, topic_size);
    memcpy(payload, bytes, size);
    returned(tmc_app_message((tmc_str){name, (int32_t)topic_size}, (tmc_arr_u8){payload, (int32_t)size}));
    free(name);
    free(payload);
    return true;
}

/* What the node wished arrives. A few pieces are wished at a time; what is left comes later. */
static void deliver(void) {
    uint8_t piece[MESSAGE_MAX];
    size_t size;
    for (int i = 0; i < 64 && subscribed && (size = served_next(piece)) > 0; i++) {
        (void)message((const uint8_t *)TOPIC_PREFIX "c", sizeof TOPIC_PREFIX, piece, size);
        tick();
    }
}

/* Time for everything to end: at first with a sensor that delivers, then beyond every deadline. */
static void settle(void) {
    faults = 0;
    link(true);
    for (int i = 0; i < 8; i++) {
        frames = 1000;
        pass(10);
        deliver();
    }
    pass(LONGEST_DEADLINE_MS + 1000U);
    for (int i = 0; i < 3; i++) {
        pass(10);
    }
    watch_end(reliable);
}

static uint32_t number(const uint8_t *at, size_t size) {
    uint32_t value = 0;
    memcpy(&value, at, size < sizeof value ? size : sizeof value);
    return value;
}

/* False: the session ends. */
static bool play(uint8_t what, const uint8_t *at, size_t size) {
    switch (what & 15) {
    case RECORD_TOPIC: {
        const size_t topic = size == 0 ? 0 : at[0] < size ? at[0] : size - 1;
        return size == 0 || message(at + 1, topic, at + 1 + topic, size - 1 - topic);
    }
    case RECORD_ARTIFACT:
        served_change(at, size);
        return true;
    case RECORD_TICK:
        pass(number(at, size) % 20000U);
        deliver();
        return true;
    case RECORD_CLOCK: /* a start near where the clocks wrap */
        now_us += (uint64_t)number(at, size) << 20;
        start();
        return true;
    case RECORD_LINK:
        link(!connected);
        return true;
    case RECORD_FAULTS:
        faults = number(at, size) % 64U;
        return true;
    case RECORD_SENSOR:
        frames += number(at, size) % 4096U;
        pattern ^= number(at, size);
        tick();
        return true;
    case RECORD_RESTART:
        start();
        return true;
    case RECORD_STORAGE: /* fails; or what is there is damaged */
        storage_fails = size == 0;
        slots_fail(size == 1 ? at[0] : 0);
        if (stored[0].key_size > 0 && size > 0) {
            stored[0].size = (int32_t)(size < VALUE_MAX ? size : VALUE_MAX);
            memcpy(stored[0].value, at, (size_t)stored[0].size);
        }
        return true;
    default:
        return message((const uint8_t *)TOPIC_PREFIX "x", sizeof TOPIC_PREFIX, at, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    now_us = 1;
    boots = 0;
    faults = 0;
    frames = 0;
    pattern = 1;
    storage_fails = false;
    memset(stored, 0, sizeof stored);
    served_begin();
    slots_begin(size == 0 || (data[0] & 0x80) == 0);
    start();
    size_t at = 0;
    while (size - at >= RECORD_HEAD) {
        const size_t left = size - at - RECORD_HEAD;
        const size_t said = data[at + 1] | (size_t)data[at + 2] << 8;
        const size_t n = said < left ? said : left;
        if (!play(data[at], data + at + RECORD_HEAD, n)) {
            break;
        }
        at += RECORD_HEAD + n;
    }
    settle();
    return 0;
}
