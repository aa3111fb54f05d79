/*
 * The bare application's further network features: see more.h. Built to be measured, not run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "more.h"

#include <stdio.h>
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>
#include <zephyr/settings/settings.h>
#include <zephyr/sys/base64.h>
#include <zephyr/sys/printk.h>

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_csr.h>

/* ---- keys ---- */

static uint8_t der[1024];

static int on_random(void *context, unsigned char *out, size_t size) {
    ARG_UNUSED(context);
    return sys_csrand_get(out, size) == 0 ? 0 : MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

static void make_key(void) {
    mbedtls_pk_context pair;
    mbedtls_pk_init(&pair);
    int size = -1;
    if (mbedtls_pk_setup(&pair, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
        mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pair), on_random, NULL) == 0) {
        size = mbedtls_pk_write_key_der(&pair, der, sizeof der);
    }
    mbedtls_pk_free(&pair);
    const bool kept =
        size > 0 && settings_save_one("bare/key", der + sizeof der - (size_t)size, (size_t)size) == 0;
    memset(der, 0, sizeof der);
    printk("keygen: %d\n", kept);
}

static int on_key(const char *name, size_t size, settings_read_cb read, void *context, void *out) {
    ARG_UNUSED(name);
    *(int *)out = (int)read(context, der, MIN(size, 256));
    return 0;
}

static void make_request(const char *id) {
    char subject[32];
    int key_size = 0;
    mbedtls_pk_context pair;
    mbedtls_x509write_csr request;
    mbedtls_pk_init(&pair);
    mbedtls_x509write_csr_init(&request);
    mbedtls_x509write_csr_set_md_alg(&request, MBEDTLS_MD_SHA256);
    (void)snprintf(subject, sizeof subject, "CN=%s", id);
    (void)settings_load_subtree_direct("bare/key", on_key, &key_size);
    uint8_t *const out = der + 256;
    const size_t room = sizeof der - 256;
    int size = -1;
    if (key_size > 0 && mbedtls_pk_parse_key(&pair, der, (size_t)key_size, NULL, 0, on_random, NULL) == 0 &&
        mbedtls_x509write_csr_set_subject_name(&request, subject) == 0) {
        mbedtls_x509write_csr_set_key(&request, &pair);
        size = mbedtls_x509write_csr_der(&request, out, room, on_random, NULL);
    }
    mbedtls_x509write_csr_free(&request);
    mbedtls_pk_free(&pair);
    for (int at = 0; at < size; at += 96) {
        char text[130];
        size_t n = 0;
        if (base64_encode((uint8_t *)text, sizeof text, &n, out + room - size + at,
                          (size_t)MIN(size - at, 96)) == 0) {
            printk("%s\n", text);
        }
    }
    printk("csr: %d\n", size);
}

bool more_command(const char *line, const char *id) {
    if (strcmp(line, "keygen") == 0) {
        make_key();
    } else if (strcmp(line, "csr") == 0) {
        make_request(id);
    } else {
        return false;
    }
    return true;
}

/* ---- brokers ---- */

const char *more_broker(const char *list) {
    static char host[64];
    static const char *next;
    const char *part = next != NULL ? next : list;
    const char *end = strchr(part, ',');
    const size_t size = MIN(end != NULL ? (size_t)(end - part) : strlen(part), sizeof host - 1);
    memcpy(host, part, size);
    host[size] = '\0';
    next = end != NULL ? end + 1 : NULL;
    return host;
}

/* ---- messages kept until they are acknowledged ---- */

struct head {
    uint16_t id; /* 0: not sent in this session */
    uint16_t topic;
    uint16_t size;
    uint8_t again;
};

static uint8_t kept[4096];
static size_t used;
static uint16_t last_id;

bool more_publish(const char *topic, const uint8_t *payload, size_t size) {
    struct head head = {.topic = (uint16_t)strlen(topic), .size = (uint16_t)size};
    if (used + sizeof head + head.topic + size > sizeof kept) {
        return false;
    }
    memcpy(kept + used, &head, sizeof head);
    memcpy(kept + used + sizeof head, topic, head.topic);
    memcpy(kept + used + sizeof head + head.topic, payload, size);
    used += sizeof head + head.topic + size;
    return true;
}

void more_flush(struct mqtt_client *client) {
    struct head head;
    for (size_t at = 0; at < used; at += sizeof head + head.topic + head.size) {
        memcpy(&head, kept + at, sizeof head);
        if (head.id != 0) {
            continue;
        }
        uint8_t *const topic = kept + at + sizeof head;
        last_id = last_id == UINT16_MAX ? 1 : (uint16_t)(last_id + 1);
        struct mqtt_publish_param message = {
            .message = {.topic = {.topic = {.utf8 = topic, .size = head.topic}, .qos = 1},
                        .payload = {.data = topic + head.topic, .len = head.size}},
            .message_id = last_id,
            .dup_flag = head.again,
        };
        head.id = last_id;
        head.again = 1;
        memcpy(kept + at, &head, sizeof head);
        if (mqtt_publish(client, &message) != 0) {
            return;
        }
    }
}

void more_acknowledged(uint16_t id) {
    struct head head;
    for (size_t at = 0; at < used; at += sizeof head + head.topic + head.size) {
        memcpy(&head, kept + at, sizeof head);
        if (head.id == id) {
            const size_t size = sizeof head + head.topic + head.size;
            memmove(kept + at, kept + at + size, used - at - size);
            used -= size;
            return;
        }
    }
}

void more_rewind(void) {
    struct head head;
    for (size_t at = 0; at < used; at += sizeof head + head.topic + head.size) {
        memcpy(&head, kept + at, sizeof head);
        head.id = 0;
        memcpy(kept + at, &head, sizeof head);
    }
}
