/*
 * The Zephyr port: identity, credentials, network and brokers, written, read back and wiped by commands of
 * one line. The image is the same for every node; what makes it this one is in the settings. Secrets can be
 * written and replaced, never read: "get" tells only that they are there. docs/provisioning.md has the
 * commands.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "outgoing.h"
#include "provision.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/base64.h>
#include <zephyr/sys/crc.h>
#include <zephyr/sys/printk.h>

#define CHUNK_MAX 96 /* bytes of a value in one line */

static const struct {
    const char *name;
    bool secret;
} names[] = {
    {"id", false},      {"server-id", false}, {"server", false},  {"alpn", false},
    {"sntp", false},    {"ca", false},        {"cert", false},    {"key", true},
    {"password", true}, {"wifi-ssid", false}, {"wifi-psk", true}, {"update-key", false},
};

#define UPDATE_KEY_BYTES 65 /* a point of P-256, not compressed: 4, x, y */

/* A value on its way in or out, a line at a time. */
static uint8_t value[CONFIG_TMC_CREDENTIAL_MAX];
static size_t value_size;  /* announced */
static size_t value_taken; /* so far */
static int pending = -1;   /* index of the name it is for */

static void error(const char *text) {
    printk("tmc: error %s\n", text);
}

static const char refused[] = "the flash refused it";

/* The answer: ok, or what went wrong. */
static void tell(bool done, const char *text) {
    if (done) {
        printk("tmc: ok\n");
    } else {
        error(text);
    }
}

static int find(const char *name) {
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            return (int)i;
        }
    }
    error("name: one of id server-id server alpn sntp ca cert key password wifi-ssid wifi-psk update-key");
    return -1;
}

static bool number(const char *text, int base, unsigned long most, unsigned long *out) {
    char *end = NULL;
    if (text == NULL || text[0] == '\0') {
        return false;
    }
    *out = strtoul(text, &end, base);
    return *end == '\0' && *out <= most;
}

static void forget_value(void) {
    memset(value, 0, sizeof value);
    value_size = 0;
    value_taken = 0;
    pending = -1;
}

/* ---- in: begin NAME SIZE, data BASE64 ..., commit CRC32
 * ------------------------------------------------------------- */

static void begin(const char *name, const char *size_text) {
    unsigned long size;
    int index = find(name);
    if (index < 0) {
        return;
    }
    forget_value();
    if (!number(size_text, 10, sizeof value, &size) || size == 0) {
        printk("tmc: error size: 1 to %u bytes\n", (unsigned int)sizeof value);
        return;
    }
    pending = index;
    value_size = size;
    tell(true, NULL);
}

static void data(const char *text) {
    size_t n = 0;
    if (pending < 0 || text == NULL) {
        error("nothing was begun");
    } else if (base64_decode(value + value_taken, value_size - value_taken, &n, (const uint8_t *)text,
                             strlen(text)) != 0 ||
               n == 0) {
        error("data: base64 of what is left, at most 96 bytes a line");
    } else {
        value_taken += n;
        printk("tmc: ok %u\n", (unsigned int)value_taken);
    }
}

/* What would be found out only when it is needed. */
static bool is_possible(void) {
    return strcmp(names[pending].name, "update-key") != 0 ||
           (value_size == UPDATE_KEY_BYTES && value[0] == 4U);
}

static void commit(const char *crc_text) {
    unsigned long crc;
    if (pending < 0 || value_taken != value_size) {
        error("incomplete");
    } else if (!number(crc_text, 16, UINT32_MAX, &crc) || crc32_ieee(value, value_size) != (uint32_t)crc) {
        error("checksum: begin again");
    } else if (!is_possible()) {
        error("update-key: a point of P-256, 65 bytes");
    } else if (!zport_setting_write(names[pending].name, value, value_size)) {
        error(refused);
    } else {
        printk("tmc: ok %s\n", names[pending].name);
    }
    forget_value();
}

/* ---- out
 * -------------------------------------------------------------------------------------------------------- */

/* value as lines "tmc: data BASE64", then "tmc: ok SIZE CRC32". */
static void print_value(const uint8_t *bytes, size_t size) {
    char text[CHUNK_MAX / 3 * 4 + 1];
    for (size_t at = 0; at < size; at += CHUNK_MAX) {
        size_t n = 0;
        size_t part = size - at < CHUNK_MAX ? size - at : CHUNK_MAX;
        if (base64_encode((uint8_t *)text, sizeof text, &n, bytes + at, part) == 0) {
            printk("tmc: data %s\n", text);
        }
    }
    printk("tmc: ok %u %08lx\n", (unsigned int)size, (unsigned long)crc32_ieee(bytes, size));
}

static void get(const char *name) {
    int index = find(name);
    if (index < 0) {
        return;
    }
    forget_value();
    int32_t size = zport_setting_read(names[index].name, value, sizeof value);
    if (size < 1) {
        printk("tmc: ok absent\n");
    } else if (names[index].secret) {
        printk("tmc: ok secret\n");
    } else {
        print_value(value, (size_t)size < sizeof value ? (size_t)size : sizeof value);
    }
    forget_value();
}

/* ---- the rest
 * --------------------------------------------------------------------------------------------------- */

static void delete (const char *name) {
    int index = find(name);
    if (index < 0) {
        return;
    }
    tell(zport_setting_write(names[index].name, NULL, 0), refused);
}

static void wipe(void) {
    bool done = true;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        done = zport_setting_write(names[i].name, NULL, 0) && done;
    }
    done = zport_setting_write("key-new", NULL, 0) && done;
    tell(done, refused);
}

#ifdef CONFIG_TMC_TLS
/* A new key pair replaces the old one only together with its certificate: it waits under another name until
 * then. */
static void keygen(void) {
    forget_value();
    size_t size = zport_key_generate(value, sizeof value);
    bool done = size > 0 && zport_setting_write("key-new", value, size);
    forget_value();
    tell(done, "no key could be made");
}

static void request(const char *id) {
    uint8_t *const out = value + 256; /* a P-256 key has 121 bytes */
    const size_t room = sizeof value - 256;
    forget_value();
    int32_t key_size = zport_setting_read("key-new", value, 256);
    if (key_size < 1 || key_size > 256) {
        error("no new key: keygen first");
        return;
    }
    size_t size = zport_key_request(value, (size_t)key_size, id != NULL ? id : "", out, room);
    if (size == 0) {
        error("id: 1-23 characters of 0-9 a-z -");
    } else {
        print_value(out + room - size, size);
    }
    forget_value();
}

/* The new key becomes the key. */
static void adopt(void) {
    forget_value();
    int32_t size = zport_setting_read("key-new", value, sizeof value);
    bool done = size > 0 && size <= (int32_t)sizeof value &&
                zport_setting_write("key", value, (size_t)size) && zport_setting_write("key-new", NULL, 0);
    forget_value();
    tell(done, "no new key");
}
#endif

#ifdef CONFIG_TMC_CONSOLE_STATUS
/* NAME=NUMBER ..., with /MOST where there is a high-water mark. */
static void status(void) {
    uint32_t kept_most;
    uint32_t kept = zport_outgoing_used(&kept_most);
    size_t tls_most = 0;
    size_t tls = 0;
#ifdef CONFIG_TMC_TLS
    tls = zport_tls_memory(&tls_most);
#endif
    printk("tmc: ok received=%lu too-large=%lu published=%lu refused=%lu unkept=%lu",
           (unsigned long)zport_stats.received, (unsigned long)zport_stats.too_large,
           (unsigned long)zport_stats.published, (unsigned long)zport_stats.refused,
           (unsigned long)zport_stats.unkept);
    printk(" attempts=%lu connects=%lu disconnects=%lu", (unsigned long)zport_stats.attempts,
           (unsigned long)zport_stats.connects, (unsigned long)zport_stats.disconnects);
    printk(" outbox=%lu/%lu tls=%lu/%lu stack-free=%ld\n", (unsigned long)kept, (unsigned long)kept_most,
           (unsigned long)tls, (unsigned long)tls_most, (long)tmc_port_stack_free());
}
#endif

/* Cuts the next word off; NULL at the end. */
static const char *next_word(char **words) {
    char *start = *words + strspn(*words, " ");
    size_t n = strcspn(start, " ");
    *words = start + n;
    if (start[n] != '\0') {
        start[n] = '\0';
        (*words)++;
    }
    return n > 0 ? start : NULL;
}

void zport_provision_line(char *words) {
    const char *command = next_word(&words);
    const char *first = next_word(&words);
    const char *second = next_word(&words);
    if (command == NULL) {
        error("no command");
    } else if (strcmp(command, "hello") == 0) {
        printk("tmc: ok 1 %.*s %lu %s\n", (int)tmc_port_node_id().len, (const char *)tmc_port_node_id().ptr,
               (unsigned long)tmc_port_boot_counter(), first != NULL ? first : "");
    } else if (strcmp(command, "begin") == 0) {
        begin(first, second);
    } else if (strcmp(command, "data") == 0) {
        data(first);
    } else if (strcmp(command, "commit") == 0) {
        commit(first);
    } else if (strcmp(command, "get") == 0) {
        get(first);
    } else if (strcmp(command, "delete") == 0) {
        delete (first);
    } else if (strcmp(command, "wipe") == 0) {
        wipe();
#ifdef CONFIG_TMC_CONSOLE_STATUS
    } else if (strcmp(command, "status") == 0) {
        status();
#endif
    } else if (strcmp(command, "restart") == 0) {
        tell(true, NULL);
        tmc_port_restart();
#ifdef CONFIG_TMC_TLS
    } else if (strcmp(command, "keygen") == 0) {
        keygen();
    } else if (strcmp(command, "csr") == 0) {
        request(first);
    } else if (strcmp(command, "adopt") == 0) {
        adopt();
#endif
    } else {
        error("unknown command");
    }
}
