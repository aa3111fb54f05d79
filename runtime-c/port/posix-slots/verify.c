/*
 * The posix port: signatures of what comes over the bus, by OpenSSL's libcrypto, which the MQTT library
 * brings anyway. The owner's public key is the file that --update-key names.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "../common/slots.h"
#include "../posix/posix.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

bool tmc_slots_key(uint8_t key[TMC_SLOTS_KEY_BYTES]) {
    if (posix_opt.update_key_file == NULL) {
        return false;
    }
    FILE *file = fopen(posix_opt.update_key_file, "r");
    EVP_PKEY *const read = file != NULL ? PEM_read_PUBKEY(file, NULL, NULL, NULL) : NULL;
    char group[32] = "";
    size_t size = 0;
    const bool good = read != NULL && EVP_PKEY_get_group_name(read, group, sizeof group, NULL) == 1 &&
                      strcmp(group, "prime256v1") == 0 &&
                      EVP_PKEY_get_octet_string_param(read, OSSL_PKEY_PARAM_PUB_KEY, key, TMC_SLOTS_KEY_BYTES,
                                                      &size) == 1 &&
                      size == TMC_SLOTS_KEY_BYTES && key[0] == 4U;
    EVP_PKEY_free(read);
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!good) {
        posix_log(LOG_ERROR, "%s is no public key of P-256 in PEM: no update is accepted",
                  posix_opt.update_key_file);
    }
    return good;
}

static EVP_PKEY *key_of(const uint8_t *point) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"prime256v1"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point,
                                          TMC_SLOTS_KEY_BYTES),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *made = NULL;
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        made = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return made;
}

/* libcrypto takes signatures as DER. */
static int der_of(const uint8_t *signature, uint8_t *der) {
    ECDSA_SIG *const both = ECDSA_SIG_new();
    BIGNUM *const r = BN_bin2bn(signature, 32, NULL);
    BIGNUM *const s = BN_bin2bn(signature + 32, 32, NULL);
    int size = 0;
    if (both != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(both, r, s) == 1) {
        size = i2d_ECDSA_SIG(both, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(both);
    return size;
}

bool tmc_slots_verify(const uint8_t key[TMC_SLOTS_KEY_BYTES], const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                      const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]) {
    uint8_t der[80]; /* at most 72 */
    EVP_PKEY *const owner = key_of(key);
    EVP_PKEY_CTX *const context = owner != NULL ? EVP_PKEY_CTX_new(owner, NULL) : NULL;
    const int size = der_of(signature, der);
    const bool right = context != NULL && size > 0 && EVP_PKEY_verify_init(context) == 1 &&
                       EVP_PKEY_verify(context, der, (size_t)size, digest, TMC_UPDATE_DIGEST_BYTES) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(owner);
    return right;
}
