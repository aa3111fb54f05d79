/*
 * Fuzzing of the compiled node: the player of a session (session.h), which is what libFuzzer calls. Every
 * session begins with the node as it was linked; its port is that of port.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- models ---- */

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
    if (port.reliable) {
        watch_queue();
    }
    if (port.wake_asked && port.wake_ms - tmc_port_clock_ms() > 1000U) {
        finding("the node wants to sleep for more than a second");
    }
    port.wake_asked = false;
}

static void tick(void) {
    returned(tmc_app_tick(tmc_port_clock_ms()));
}

static void pass(uint32_t ms) {
    port.now_us += (uint64_t)ms * 1000U;
    tick();
}

static void link(bool up) {
    if (port.connected == up) {
        return;
    }
    port.connected = up;
    port.subscribed = false;
    returned(up ? tmc_app_connected() : tmc_app_disconnected());
    port.reliable = port.reliable && up;
}

static void start(void) {
    reset();
    port.boots++;
    port.connected = false;
    port.sampling = false;
    port.wanted = false;
    watch_begin();
    port.reliable = false; /* until it is connected */
    returned(tmc_app_start());
    if (!port.wanted) {
        finding("the node does not want to connect");
    }
    link(true);
    port.reliable = port.faults == 0;
}

/* Copies to memory of exactly this size: the sanitizer sees what is read beyond. False: end the session. */
static bool message(const uint8_t *topic, size_t topic_size, const uint8_t *bytes, size_t size) {
    const bool heard = topic_size == sizeof TOPIC_PREFIX && memcmp(topic, TOPIC_PREFIX "x", topic_size) == 0;
    if (!port.subscribed || (heard && !watch_arrival(bytes, size))) {
        return !port.subscribed;
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
    for (int i = 0; i < 64 && port.subscribed && (size = served_next(piece)) > 0; i++) {
        (void)message((const uint8_t *)TOPIC_PREFIX "c", sizeof TOPIC_PREFIX, piece, size);
        tick();
    }
}

/* Time for everything to end: at first with a sensor that delivers, then beyond every deadline. */
static void settle(void) {
    port.faults = 0;
    link(true);
    for (int i = 0; i < 8; i++) {
        port.frames = 1000;
        pass(10);
        deliver();
    }
    pass(LONGEST_DEADLINE_MS + 1000U);
    for (int i = 0; i < 3; i++) {
        pass(10);
    }
    watch_end(port.reliable);
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
        port.now_us += (uint64_t)number(at, size) << 20;
        start();
        return true;
    case RECORD_LINK:
        link(!port.connected);
        return true;
    case RECORD_FAULTS:
        port.faults = number(at, size) % 64U;
        return true;
    case RECORD_SENSOR:
        port.frames += number(at, size) % 4096U;
        port.pattern ^= number(at, size);
        tick();
        return true;
    case RECORD_RESTART:
        start();
        return true;
    case RECORD_STORAGE: /* fails; or what is there is damaged */
        port.storage_fails = size == 0;
        slots_fail(size == 1 ? at[0] : 0);
        port_damage_setting(at, size);
        return true;
    default:
        return message((const uint8_t *)TOPIC_PREFIX "x", sizeof TOPIC_PREFIX, at, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    port_begin();
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
