/*
 * Fuzzing of the compiled node: the server that an update comes from. It has one signed file (harness.ts
 * makes it), serves what the node wishes of it, and changes it as the session says. What is changed has the
 * right digest again if the session wants: else nothing damaged would get beyond it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include "../../runtime-c/update/sha256.h"
#include "tmc/update.h"

#include <string.h>

#define FILE_MAX 32768U
#define PIECE 800U

/* Made by harness.ts; of size 0 for nodes that take no updates. */
extern const uint8_t fuzz_artifact[];
extern const uint32_t fuzz_artifact_size;

static uint8_t file[FILE_MAX];
static uint32_t file_size;
static bool changed;
static uint8_t wished[TMC_UPDATE_DIGEST_BYTES];
static uint32_t next;
static uint32_t until;

void served_begin(void) {
    if (changed || file_size == 0) {
        file_size = fuzz_artifact_size < FILE_MAX ? fuzz_artifact_size : 0;
        memcpy(file, fuzz_artifact, file_size);
    }
    changed = false;
    next = 0;
    until = 0;
}

void served_change(const uint8_t *at, size_t size) {
    if (file_size < TMC_UPDATE_HEADER_BYTES || size == 0) {
        return;
    }
    changed = true;
    for (size_t i = 1; i + 3 <= size; i += 3) { /* where, and which bits */
        const uint32_t where = (at[i] | (uint32_t)at[i + 1] << 8) % file_size;
        file[where] = (uint8_t)(file[where] ^ at[i + 2]);
    }
    if ((at[0] & 1) == 0) {
        return;
    }
    tmc_sha256 hash;
    tmc_sha256_begin(&hash);
    tmc_sha256_add(&hash, file + TMC_UPDATE_HEADER_BYTES, file_size - TMC_UPDATE_HEADER_BYTES);
    tmc_sha256_end(&hash, file + TMC_UPDATE_AT_DIGEST);
}

static uint32_t number_of(const uint8_t *at, const uint8_t *end, uint64_t key) {
    int major;
    uint64_t value;
    const uint8_t *const content = cbor_head(at, end, &major, &value);
    if (content == NULL || major != 0 || value > INT32_MAX) {
        finding("a wish with an impossible number");
    }
    if (key == 6 && (value == 0 || value > 16U * MESSAGE_MAX)) {
        finding("a wish for nothing, or for too much");
    }
    return (uint32_t)value;
}

void served_wish(tmc_arr_u8 payload) {
    const uint8_t *const end = payload.ptr + payload.len;
    int major;
    uint64_t pairs;
    uint32_t wanted = 0;
    const uint8_t *at = cbor_head(payload.ptr, end, &major, &pairs);
    for (; at != NULL && pairs > 0; pairs--) {
        uint64_t key;
        at = cbor_head(at, end, &major, &key);
        if (key == 1) {
            uint64_t size;
            const uint8_t *const digest = cbor_head(at, end, &major, &size);
            if (digest == NULL || major != 2 || size != sizeof wished) {
                finding("a wish without a digest");
            }
            memcpy(wished, digest, sizeof wished);
        } else if (key == 2) {
            next = number_of(at, end, key);
        } else if (key == 6) {
            wanted = number_of(at, end, key);
        } else if (key == 4) {
            finding("the node serves pieces");
        }
        at = cbor_skip(at, end);
    }
    until = next + wanted;
}

static uint8_t *head(uint8_t *out, uint8_t major, uint32_t value) {
    *out++ = (uint8_t)((uint32_t)major << 5 | 26U);
    for (int shift = 24; shift >= 0; shift -= 8) {
        *out++ = (uint8_t)(value >> shift);
    }
    return out;
}

size_t served_next(uint8_t out[MESSAGE_MAX]) {
    const uint32_t end = until < file_size ? until : file_size;
    if (next >= end) {
        return 0;
    }
    const uint32_t size = end - next < PIECE ? end - next : PIECE;
    uint8_t *at = out;
    *at++ = 0xa6;
    *at++ = 0;
    *at++ = 1;
    *at++ = 1;
    at = head(at, 2, sizeof wished);
    memcpy(at, wished, sizeof wished);
    at += sizeof wished;
    *at++ = 2;
    at = head(at, 0, next);
    *at++ = 3;
    at = head(at, 0, file_size);
    *at++ = 4;
    at = head(at, 2, size);
    memcpy(at, file + next, size);
    at += size;
    *at++ = 5;
    at = head(at, 3, 4);
    memcpy(at, "edge", 4);
    next += size;
    return (size_t)(at + 4 - out);
}
