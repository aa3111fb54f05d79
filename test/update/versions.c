/*
 * Making and signing versions, and verifying signatures.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "versions.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

version versions[VERSIONS];
static EVP_PKEY *owner;
static EVP_PKEY *stranger;

static void require(bool holds, const char *what) {
    if (!holds) {
        printf("OpenSSL: %s\n", what);
        exit(1);
    }
}

static void put_number(uint8_t *at, uint32_t value) {
    for (uint32_t i = 0; i < 4U; i++) {
        at[i] = (uint8_t)(value >> (8U * i));
    }
}

uint32_t sign_der(bool stranger_signs, const uint8_t digest[32], uint8_t der[80]) {
    size_t size = 80;
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new(stranger_signs ? stranger : owner, NULL);
    require(EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_sign(context, der, &size, digest, 32) == 1, "sign");
    EVP_PKEY_CTX_free(context);
    return (uint32_t)size;
}

uint32_t owner_key(uint8_t der[128]) {
    unsigned char *at = der;
    return (uint32_t)i2d_PUBKEY(owner, &at);
}

static void sign(bool stranger_signs, const uint8_t *digest, uint8_t *signature) {
    uint8_t der[80];
    const uint32_t size = sign_der(stranger_signs, digest, der);
    const unsigned char *at = der;
    ECDSA_SIG *const pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
    require(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) == 32,
            "numbers of a signature");
    ECDSA_SIG_free(pair);
}

static bool verify_with_openssl(const uint8_t *digest, const uint8_t *signature) {
    ECDSA_SIG *const pair = ECDSA_SIG_new();
    require(pair != NULL && ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL),
                                           BN_bin2bn(signature + 32, 32, NULL)) == 1,
            "numbers of a signature");
    unsigned char *der = NULL;
    const int size = i2d_ECDSA_SIG(pair, &der);
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new(owner, NULL);
    const bool right = size > 0 && EVP_PKEY_verify_init(context) == 1 &&
                       EVP_PKEY_verify(context, der, (size_t)size, digest, 32) == 1;
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return right;
}

bool verify_signature(void *context, const uint8_t digest[32], const uint8_t signature[64]) {
    static struct {
        uint8_t digest[32];
        uint8_t signature[64];
        bool right;
    } known[16];
    static uint32_t count;
    (void)context;
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(known[i].digest, digest, 32) == 0 && memcmp(known[i].signature, signature, 64) == 0) {
            return known[i].right;
        }
    }
    const bool right = verify_with_openssl(digest, signature);
    if (count < 16U) {
        memcpy(known[count].digest, digest, 32);
        memcpy(known[count].signature, signature, 64);
        known[count++].right = right;
    }
    return right;
}

void seal_version(version *v, uint32_t kind, uint32_t counter, uint8_t letter, bool stranger_signs) {
    uint8_t *const h = v->header;
    memset(h, 0, sizeof v->header);
    put_number(h + TMC_UPDATE_AT_MAGIC, TMC_UPDATE_MAGIC);
    put_number(h + TMC_UPDATE_AT_FORMAT, TMC_UPDATE_FORMAT);
    put_number(h + TMC_UPDATE_AT_KIND, kind);
    put_number(h + TMC_UPDATE_AT_SIZE, v->size);
    put_number(h + TMC_UPDATE_AT_COUNTER, counter);
    memcpy(h + TMC_UPDATE_AT_NAME, "model", 5);
    h[TMC_UPDATE_AT_VERSION] = letter;
    SHA256(v->content, v->size, h + TMC_UPDATE_AT_DIGEST);
    uint8_t digest[32];
    SHA256(h, TMC_UPDATE_SIGNED_BYTES, digest);
    sign(stranger_signs, digest, h + TMC_UPDATE_AT_SIGNATURE);
}

static void make_version(uint32_t number, uint32_t bytes) {
    version *const v = &versions[number];
    memset(v, 0, sizeof *v);
    v->size = bytes;
    uint32_t random = number;
    for (uint32_t i = 0; i < bytes; i++) {
        random = random * 1664525U + 1013904223U;
        v->content[i] = (uint8_t)(random >> 24U);
    }
    seal_version(v, TMC_UPDATE_MODEL, 10U + number, (uint8_t)('0' + number), number == WRONG_KEY);
    if (number == WRONG_CONTENT) {
        v->content[bytes / 2U] ^= 1U;
    }
}

void make_keys(void) {
    if (owner == NULL) {
        owner = EVP_EC_gen("P-256");
        stranger = EVP_EC_gen("P-256");
        require(owner != NULL && stranger != NULL, "keys");
    }
}

void make_versions(uint32_t bytes) {
    make_keys();
    for (uint32_t i = 1; i < VERSIONS; i++) {
        make_version(i, bytes + 37U * i);
    }
}

void free_keys(void) {
    EVP_PKEY_free(owner);
    EVP_PKEY_free(stranger);
}
