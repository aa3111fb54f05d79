/*
 * The store of updates over a flash of RAM, for artifacts made on the host: begins, writes, finishes, tries
 * and confirms one after the other, and prints what each call answers.
 *
 * store POINT KIND FILE...   POINT: the owner's public key, 65 bytes in hexadecimal
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tmc/update.h"

enum { PAGE = 4096, SLOT = 16 * PAGE, POINT = 65 };

static uint8_t memory[2 * SLOT];
static uint8_t file[TMC_UPDATE_HEADER_BYTES + SLOT];

static bool read_flash(void *context, uint32_t at, uint8_t *out, uint32_t size) {
    (void)context;
    memcpy(out, memory + at, size);
    return true;
}

static bool write_flash(void *context, uint32_t at, const uint8_t *bytes, uint32_t size) {
    (void)context;
    for (uint32_t i = 0; i < size; i++) {
        memory[at + i] &= bytes[i];
    }
    return true;
}

static bool erase_flash(void *context, uint32_t at) {
    (void)context;
    memset(memory + at, 0xff, PAGE);
    return true;
}

static EVP_PKEY *key_of(const uint8_t *point) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *const build = OSSL_PARAM_BLD_new();
    (void)OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    (void)OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, POINT);
    OSSL_PARAM *const parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        printf("not a point\n");
        exit(1);
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    return key;
}

static bool verify(void *key, const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                   const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]) {
    ECDSA_SIG *const pair = ECDSA_SIG_new();
    (void)ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL));
    unsigned char *der = NULL;
    const int size = i2d_ECDSA_SIG(pair, &der);
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new(key, NULL);
    const bool right = size > 0 && EVP_PKEY_verify_init(context) == 1 &&
                       EVP_PKEY_verify(context, der, (size_t)size, digest, TMC_UPDATE_DIGEST_BYTES) == 1;
    EVP_PKEY_CTX_free(context);
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return right;
}

static size_t read_file(const char *name) {
    FILE *const stream = fopen(name, "rb");
    const size_t size = stream != NULL ? fread(file, 1, sizeof file, stream) : 0U;
    if (stream != NULL) {
        (void)fclose(stream);
    }
    return size;
}

static void install(tmc_update *u, size_t size) {
    const uint8_t *const content = file + TMC_UPDATE_HEADER_BYTES;
    const size_t bytes = size - TMC_UPDATE_HEADER_BYTES;
    uint32_t offset = 0;
    const int begun = (int)tmc_update_begin(u, file, &offset);
    printf("begin %d %u", begun, offset);
    if (begun == TMC_UPDATE_OK) {
        printf(" write %d", (int)tmc_update_write(u, 0, content, (uint32_t)bytes));
        printf(" finish %d", (int)tmc_update_finish(u));
        printf(" try %d", (int)tmc_update_try(u));
        printf(" boot %d", (int)tmc_update_boot(u));
        printf(" confirm %d", (int)tmc_update_confirm(u));
    }
    printf(" %.32s %.32s\n", (const char *)file + TMC_UPDATE_AT_NAME,
           (const char *)file + TMC_UPDATE_AT_VERSION);
}

int main(int count, char **words) {
    uint8_t point[POINT] = {0};
    if (count < 4 || strlen(words[1]) != 2U * POINT) {
        return 1;
    }
    for (size_t i = 0; i < POINT; i++) {
        const char pair[3] = {words[1][2U * i], words[1][2U * i + 1U], '\0'};
        point[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    EVP_PKEY *const key = key_of(point);
    const tmc_update_flash flash = {.page = PAGE,
                                    .unit = 8,
                                    .slot = {0, SLOT},
                                    .slot_bytes = SLOT,
                                    .read = read_flash,
                                    .write = write_flash,
                                    .erase = erase_flash};
    const tmc_update_options options = {
        .kind = (uint32_t)strtoul(words[2], NULL, 10), .attempts = 2, .context = key, .verify = verify};
    tmc_update u;
    memset(memory, 0xff, sizeof memory);
    if (!tmc_update_init(&u, &flash, &options)) {
        return 1;
    }
    (void)tmc_update_boot(&u);
    for (int i = 3; i < count; i++) {
        const size_t size = read_file(words[i]);
        if (size > TMC_UPDATE_HEADER_BYTES) {
            install(&u, size);
        }
    }
    EVP_PKEY_free(key);
    return 0;
}
