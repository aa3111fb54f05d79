/*
 * Making images of MCUboot.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "images.h"

#include <openssl/sha.h>
#include <string.h>

version images[IMAGES];

static void put(version *v, uint32_t value, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i++) {
        v->content[v->size++] = (uint8_t)(value >> (8U * i));
    }
}

static void put_field(version *v, uint32_t kind, const uint8_t *bytes, uint32_t size) {
    put(v, kind, 2);
    put(v, size, 2);
    memcpy(v->content + v->size, bytes, size);
    v->size += size;
}

static void make_image(uint32_t number, uint32_t counter, uint32_t body) {
    version *const v = &images[number];
    const bool stranger_signs = number == UNSIGNED || number == WRONG_KEY;
    memset(v, 0, sizeof *v);
    put(v, 0x96f3b83d, 4);
    put(v, 0, 4);
    put(v, 32, 2); /* header */
    put(v, 12, 2); /* protected fields */
    put(v, body, 4);
    put(v, 0, 4);
    put(v, 1, 1); /* version 1.NUMBER.0 */
    put(v, number, 1);
    put(v, 0, 2);
    put(v, 0, 4);
    put(v, 0, 4);
    uint32_t random = number;
    for (uint32_t i = 0; i < body; i++) {
        random = random * 1664525U + 1013904223U;
        put(v, random >> 24U, 1);
    }
    put(v, 0x6908, 2);
    put(v, 12, 2);
    const uint8_t security_counter[4] = {(uint8_t)counter, 0, 0, 0};
    put_field(v, 0x50, security_counter, 4);
    uint8_t digest[32];
    uint8_t key_digest[32];
    uint8_t key[128];
    uint8_t der[80];
    SHA256(v->content, v->size, digest);
    SHA256(key, owner_key(key), key_digest);
    uint32_t signature;
    do {
        signature = sign_der(stranger_signs, digest, der);
    } while (signature != 71U); /* so that images are always of one size */
    put(v, 0x6907, 2);
    put(v, 4U + 36U + 36U + 4U + signature, 2);
    put_field(v, 0x10, digest, 32);
    put_field(v, 0x01, key_digest, 32);
    put_field(v, 0x22, der, signature);
    if (number == NO_IMAGE) {
        memset(v->content, 0, v->size);
    }
    seal_version(v, 3, counter, (uint8_t)('0' + number), number == WRONG_KEY);
    if (number == WRONG_CONTENT) {
        v->content[v->size / 2U] ^= 1U;
    }
}

void make_images(uint32_t bytes) {
    make_keys();
    for (uint32_t i = 1; i < IMAGES; i++) {
        make_image(i, i == OLDER ? 5U : i == UNSIGNED || i == NO_IMAGE ? 20U : 10U + i, bytes + 37U * i);
    }
}
