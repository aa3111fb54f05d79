/*
 * Fuzzing of the serial console: every input is what somebody types. The console and provisioning files of
 * the Zephyr port are compiled as they are; Zephyr is a few functions here. Beside the sanitizers: each
 * command has exactly one answer, a line is never longer than the terminal of `tmc provision` takes, stored
 * values have the sizes that were announced, and no secret comes out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "../../runtime-c/port/zephyr/outgoing.h"
#include "../../runtime-c/port/zephyr/provision.h"
#include "../../runtime-c/port/zephyr/stream.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/sys/base64.h>
#include <zephyr/sys/crc.h>
#include <zephyr/sys/printk.h>

#ifndef CONFIG_TMC_CREDENTIAL_MAX
#define CONFIG_TMC_CREDENTIAL_MAX 2048
#endif
#define SETTINGS_MAX 16
#define OUTPUT_LINE_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const struct device fuzz_uart = {0};
static const uint8_t *typed;
static const uint8_t *typed_end;
static size_t answers;
static uint8_t secret[12]; /* another one for each input: it cannot be typed */

static struct {
    char name[32];
    uint8_t *bytes; /* of exactly this size: the sanitizer watches */
    size_t size;
} settings[SETTINGS_MAX];

static _Noreturn void finding(const char *what) {
    fprintf(stderr, "FINDING: %s\n", what);
    abort();
}

/* ---- settings ---- */

static int find(const char *name) {
    for (int i = 0; i < SETTINGS_MAX; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int32_t zport_setting_read(const char *name, void *out, size_t size) {
    const int i = find(name);
    if (i < 0) {
        return -1;
    }
    memcpy(out, settings[i].bytes, settings[i].size < size ? settings[i].size : size);
    return (int32_t)settings[i].size;
}

bool zport_setting_write(const char *name, const void *bytes, size_t size) {
    int i = find(name);
    if (size > CONFIG_TMC_CREDENTIAL_MAX || strlen(name) >= sizeof settings[0].name) {
        finding("a setting that is too large");
    }
    if (i < 0 && size > 0) {
        i = find("");
        if (i < 0) {
            finding("more settings than there are names");
        }
    }
    if (i < 0) {
        return true;
    }
    free(settings[i].bytes);
    settings[i].bytes = NULL;
    settings[i].size = size;
    memset(settings[i].name, 0, sizeof settings[i].name);
    if (size > 0) {
        (void)snprintf(settings[i].name, sizeof settings[i].name, "%s", name);
        settings[i].bytes = malloc(size);
        memcpy(settings[i].bytes, bytes, size);
    }
    return true;
}

/* ---- keys: stand-ins of the right sizes ---- */

size_t zport_key_generate(uint8_t *out, size_t size) {
    if (size < 121) {
        return 0;
    }
    memset(out, 0x30, 121);
    memcpy(out + 40, secret, sizeof secret);
    return 121;
}

size_t zport_key_request(const uint8_t *key, size_t key_size, const char *id, uint8_t *out, size_t size) {
    const size_t length = strlen(id);
    if (key_size < 1 || key[0] != 0x30 || length < 1 || length > ZPORT_ID_MAX || size < 300) {
        return 0;
    }
    memset(out + size - 300, 0x31, 300);
    memcpy(out + size - 200, id, length);
    return 300;
}

/* ---- what "status" tells of ---- */

zport_bus_stats zport_stats = {
    .received = UINT32_MAX, .published = UINT32_MAX, .connects = UINT32_MAX, .attempts = UINT32_MAX};

uint32_t zport_outgoing_used(uint32_t *most) {
    *most = 65536;
    return 65536; /* the most that Kconfig takes */
}

size_t zport_tls_memory(size_t *most) {
    *most = 131072;
    return 131072;
}

int32_t tmc_port_stack_free(void) {
    return INT32_MIN;
}

/* ---- Zephyr ---- */

int uart_poll_in(const struct device *device, unsigned char *c) {
    (void)device;
    if (typed == typed_end) {
        return -1;
    }
    *c = *typed++;
    return 0;
}

static int digit(uint8_t c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *const at = c == 0 ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

int base64_encode(uint8_t *out, size_t size, size_t *used, const uint8_t *in, size_t in_size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (size < (in_size + 2) / 3 * 4 + 1) {
        return -1;
    }
    for (size_t i = 0; i + sizeof secret <= in_size; i++) {
        if (memcmp(in + i, secret, sizeof secret) == 0) {
            finding("a secret is printed");
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < in_size; i += 3) {
        const size_t left = in_size - i;
        const uint32_t word = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0U) |
                              (left > 2 ? (uint32_t)in[i + 2] : 0U);
        for (unsigned int k = 0; k < 4; k++) {
            out[n++] = k <= left ? (uint8_t)digits[word >> (18 - 6 * k) & 63U] : (uint8_t)'=';
        }
    }
    out[n] = 0;
    *used = n;
    return 0;
}

/* As Zephyr's: whole groups of four; the room is checked before anything is written. */
int base64_decode(uint8_t *out, size_t size, size_t *used, const uint8_t *in, size_t in_size) {
    size_t end = in_size;
    while (end > 0 && in_size - end < 2 && in[end - 1] == '=') {
        end--;
    }
    const size_t n = end * 6 / 8;
    if (in_size % 4 != 0 || n > size) {
        return -1;
    }
    uint32_t word = 0;
    for (size_t i = 0, at = 0; i < end; i++) {
        const int value = digit(in[i]);
        if (value < 0) {
            return -1;
        }
        word = word << 6 | (uint32_t)value;
        if (i % 4 != 0 && at < n) {
            out[at++] = (uint8_t)(word >> (6 - 2 * (i % 4)));
        }
    }
    *used = n;
    return 0;
}

uint32_t crc32_ieee(const uint8_t *data, size_t size) {
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++) {
            crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1U)));
        }
    }
    return ~crc;
}

void printk(const char *format, ...) {
    static char text[512]; /* a line, in one part or several */
    static int n;
    va_list arguments;
    va_start(arguments, format);
    const int part = vsnprintf(text + n, sizeof text - (size_t)n, format, arguments);
    va_end(arguments);
    n += part;
    if (part >= 1 && n < (int)sizeof text && text[n - 1] != '\n') {
        return;
    }
    if (n < 1 || n > OUTPUT_LINE_MAX || strncmp(text, "tmc: ", 5) != 0 || text[n - 1] != '\n' ||
        strchr(text, '\n') != text + n - 1) {
        finding("an answer that is not one line");
    }
    answers += strncmp(text, "tmc: data ", 10) == 0 ? 0 : 1;
    n = 0;
}

tmc_str tmc_port_node_id(void) {
    return TMC_STR("pump-1");
}

uint32_t tmc_port_boot_counter(void) {
    return 1;
}

static bool restarting;

void tmc_port_restart(void) {
    restarting = true;
}

bool zport_restart_wanted(void) {
    return restarting;
}

/* ---- a session ---- */

/* Lines that begin with "tmc ", to their end or not. */
static size_t commands(const uint8_t *at, const uint8_t *end) {
    size_t n = 0;
    while (at < end) {
        const uint8_t *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r') {
            stop++;
        }
        n += stop - at >= 4 && memcmp(at, "tmc ", 4) == 0 ? 1 : 0;
        at = stop + 1;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const secrets[] = {"key", "key-new", "password", "wifi-psk"};
    static const char end[] = "tmc commit 0\n"; /* nothing stays begun */
    uint8_t value[64] = {0x30};
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 16777619U;
    }
    for (size_t i = 0; i < sizeof secret; i++) {
        hash = hash * 1664525U + 1013904223U;
        secret[i] = (uint8_t)(hash >> 24);
    }
    memcpy(value + 20, secret, sizeof secret);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        (void)zport_setting_write(secrets[i], value, sizeof value);
    }
    answers = 0;
    typed = data;
    typed_end = data + size;
    /* What follows a restart is for the next boot, as from native_sim's pipe. */
    do {
        restarting = false;
        zport_console_poll();
        if (restarting && answers != commands(data, typed)) {
            finding("a command behind a restart was answered");
        }
    } while (restarting);
    typed = (const uint8_t *)"\n";
    typed_end = typed + 1;
    zport_console_poll();
    restarting = false;
    if (answers != commands(data, data + size)) {
        finding("a command with no answer, or with more than one");
    }
    typed = (const uint8_t *)end;
    typed_end = typed + sizeof end - 1;
    zport_console_poll();
    for (int i = 0; i < SETTINGS_MAX; i++) {
        free(settings[i].bytes);
        memset(&settings[i], 0, sizeof settings[i]);
    }
    return 0;
}
