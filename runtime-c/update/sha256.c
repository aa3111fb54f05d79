/*
 * SHA-256 (FIPS 180-4), one block at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sha256.h"

#include <string.h>

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t x, uint32_t by) {
    return x >> by | x << (32U - by);
}

static void take_block(uint32_t *state, const uint8_t *block) {
    uint32_t w[64];
    for (uint32_t i = 0; i < 16U; i++) {
        w[i] = (uint32_t)block[4U * i] << 24U | (uint32_t)block[4U * i + 1U] << 16U |
               (uint32_t)block[4U * i + 2U] << 8U | block[4U * i + 3U];
    }
    for (uint32_t i = 16; i < 64U; i++) {
        const uint32_t early = w[i - 15U];
        const uint32_t late = w[i - 2U];
        w[i] = w[i - 16U] + (rotated(early, 7) ^ rotated(early, 18) ^ early >> 3U) + w[i - 7U] +
               (rotated(late, 17) ^ rotated(late, 19) ^ late >> 10U);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (uint32_t i = 0; i < 64U; i++) {
        const uint32_t one = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) +
                             constants[i] + w[i];
        const uint32_t two =
            (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + one;
        d = c;
        c = b;
        b = a;
        a = one + two;
    }
    const uint32_t v[8] = {a, b, c, d, e, f, g, h};
    for (uint32_t i = 0; i < 8U; i++) {
        state[i] += v[i];
    }
}

void tmc_sha256_begin(tmc_sha256 *s) {
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->state, start, sizeof start);
    s->size = 0;
}

void tmc_sha256_add(tmc_sha256 *s, const uint8_t *bytes, uint32_t size) {
    while (size > 0U) {
        const uint32_t used = (uint32_t)(s->size % 64U);
        const uint32_t n = size < 64U - used ? size : 64U - used;
        memcpy(s->block + used, bytes, n);
        s->size += n;
        bytes += n;
        size -= n;
        if (used + n == 64U) {
            take_block(s->state, s->block);
        }
    }
}

void tmc_sha256_end(tmc_sha256 *s, uint8_t digest[32]) {
    static const uint8_t one = 0x80;
    static const uint8_t zero = 0;
    const uint64_t bits = s->size * 8U;
    tmc_sha256_add(s, &one, 1U);
    while (s->size % 64U != 56U) {
        tmc_sha256_add(s, &zero, 1U);
    }
    uint8_t length[8];
    for (uint32_t i = 0; i < 8U; i++) {
        length[i] = (uint8_t)(bits >> (56U - 8U * i));
    }
    tmc_sha256_add(s, length, sizeof length);
    for (uint32_t i = 0; i < 32U; i++) {
        digest[i] = (uint8_t)(s->state[i / 4U] >> (24U - 8U * (i % 4U)));
    }
}
