/*
 * SHA-256 (FIPS 180-4), for nodes whose image has no crypto library, and the same on every port.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_SHA256_H
#define TMC_SHA256_H

#include <stdint.h>

typedef struct {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    uint8_t block[64];
} tmc_sha256;

void tmc_sha256_begin(tmc_sha256 *s);
void tmc_sha256_add(tmc_sha256 *s, const uint8_t *bytes, uint32_t size);
void tmc_sha256_end(tmc_sha256 *s, uint8_t digest[32]);

#endif
