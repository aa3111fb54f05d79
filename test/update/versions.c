/*
 * Making and signing versions, and verifying signatures.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "versions.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
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

static void sign(EVP_PKEY *key, const uint8_t *digest, uint8_t *signature) {
    uint8_t der[80];
    size_t size = sizeof der;
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new(key, NULL);
    require(EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_sign(context, der, &size, digest, 32) == 1, "sign");
    const unsigned char *at = der;
    ECDSA_SIG *const pair = d2i_ECDSA_SIG(NULL, &at, (long)size);
    require(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) == 32 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) == 32,
            "numbers of a signature");
    ECDSA_SIG_free(pair);
    EVP_PKEY_CTX_free(context);
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

static void make_version(uint32_t number, uint32_t bytes) {
    version *const v = &versions[number];
    memset(v, 0, sizeof *v);
    v->size = bytes;
    uint32_t random = number;
    for (uint32_t i = 0; i < bytes; i++) {
        random = random * 1664525U + 1013904223U;
        v->content[i] = (uint8_t)(random >> 24U);
    }
    uint8_t *const h = v->header;
    put_number(h + TMC_UPDATE_AT_MAGIC, TMC_UPDATE_MAGIC);
    put_number(h + TMC_UPDATE_AT_FORMAT, TMC_UPDATE_FORMAT);
    put_number(h + TMC_UPDATE_AT_KIND, TMC_UPDATE_MODEL);
    put_number(h + TMC_UPDATE_AT_SIZE, bytes);
    put_number(h + TMC_UPDATE_AT_COUNTER, 10U + number);
    memcpy(h + TMC_UPDATE_AT_NAME, "model", 5);
    h[TMC_UPDATE_AT_VERSION] = (uint8_t)('0' + number);
    SHA256(v->content, bytes, h + TMC_UPDATE_AT_DIGEST);
    uint8_t digest[32];
    SHA256(h, TMC_UPDATE_SIGNED_BYTES, digest);
    sign(number == WRONG_KEY ? stranger : owner, digest, h + TMC_UPDATE_AT_SIGNATURE);
    if (number == WRONG_CONTENT) {
        v->content[bytes / 2U] ^= 1U;
    }
}

void make_versions(uint32_t bytes) {
    if (owner == NULL) {
        owner = EVP_EC_gen("P-256");
        stranger = EVP_EC_gen("P-256");
        require(owner != NULL && stranger != NULL, "keys");
    }
    for (uint32_t i = 1; i < VERSIONS; i++) {
        make_version(i, bytes + 37U * i);
    }
}

void free_keys(void) {
    EVP_PKEY_free(owner);
    EVP_PKEY_free(stranger);
}
