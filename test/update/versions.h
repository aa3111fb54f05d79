/*
 * Versions to install: contents of several sizes, with headers that are signed by a real key (ECDSA P-256,
 * OpenSSL).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_VERSIONS_H
#define TEST_VERSIONS_H

#include "tmc/update.h"

enum { VERSION_BYTES_MAX = 16384, VERSIONS = 6 };

typedef struct {
    uint8_t header[TMC_UPDATE_HEADER_BYTES];
    uint8_t content[VERSION_BYTES_MAX];
    uint32_t size;
} version;

/* By number: 1 to 3 are good and follow each other; the fourth's content is not that of its digest, the fifth
 * is signed by somebody else. 0 stands for no version. */
extern version versions[VERSIONS];
enum { NONE, FIRST, SECOND, THIRD, WRONG_CONTENT, WRONG_KEY };

/* `bytes`: about so many in each content. */
void make_versions(uint32_t bytes);
void make_keys(void);
void free_keys(void);
/* The header of this content. */
void seal_version(version *v, uint32_t kind, uint32_t counter, uint8_t letter, bool stranger_signs);
/* The signature of a digest, DER; returns its size. */
uint32_t sign_der(bool stranger_signs, const uint8_t digest[32], uint8_t der[80]);
/* The owner's public key, DER; returns its size. */
uint32_t owner_key(uint8_t der[128]);
/* For tmc_update_options: remembers what OpenSSL said of a signature. */
bool verify_signature(void *context, const uint8_t digest[32], const uint8_t signature[64]);

#endif
