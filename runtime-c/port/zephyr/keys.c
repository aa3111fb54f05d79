/*
 * The Zephyr port: a key pair made on the device, and the request for a certificate of it. The private key is
 * for provision.c to store; nothing here sends it anywhere.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "provision.h"

#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>

#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_csr.h>

static int on_random(void *context, unsigned char *out, size_t size) {
    ARG_UNUSED(context);
    return sys_csrand_get(out, size) == 0 ? 0 : MBEDTLS_ERR_ECP_RANDOM_FAILED;
}

size_t zport_key_generate(uint8_t *out, size_t size) {
    mbedtls_pk_context pair;
    mbedtls_pk_init(&pair);
    int written = -1;
    if (mbedtls_pk_setup(&pair, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)) == 0 &&
        mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pair), on_random, NULL) == 0) {
        written = mbedtls_pk_write_key_der(&pair, out, size); /* at the end of out */
    }
    mbedtls_pk_free(&pair);
    if (written <= 0) {
        return 0;
    }
    memmove(out, out + size - (size_t)written, (size_t)written);
    memset(out + written, 0, size - (size_t)written);
    return (size_t)written;
}

/* CN=ID. mbedtls_x509write_csr_set_subject_name takes a text with any attributes: 1.4 KB of code for them. */
static bool set_common_name(mbedtls_x509write_csr *request, const char *id) {
    size_t size = strlen(id);
    if (size < 1 || size > ZPORT_ID_MAX) {
        return false;
    }
    mbedtls_asn1_named_data *name =
        mbedtls_asn1_store_named_data(&request->MBEDTLS_PRIVATE(subject), MBEDTLS_OID_AT_CN,
                                      MBEDTLS_OID_SIZE(MBEDTLS_OID_AT_CN), (const unsigned char *)id, size);
    if (name == NULL) {
        return false;
    }
    name->val.tag = MBEDTLS_ASN1_UTF8_STRING;
    return true;
}

size_t zport_key_request(const uint8_t *key, size_t key_size, const char *id, uint8_t *out, size_t size) {
    mbedtls_pk_context pair;
    mbedtls_x509write_csr request;
    mbedtls_pk_init(&pair);
    mbedtls_x509write_csr_init(&request);
    mbedtls_x509write_csr_set_md_alg(&request, MBEDTLS_MD_SHA256);
    int written = -1;
    if (mbedtls_pk_parse_key(&pair, key, key_size, NULL, 0, on_random, NULL) == 0 &&
        set_common_name(&request, id)) {
        mbedtls_x509write_csr_set_key(&request, &pair);
        written = mbedtls_x509write_csr_der(&request, out, size, on_random, NULL);
    }
    mbedtls_x509write_csr_free(&request);
    mbedtls_pk_free(&pair);
    return written > 0 ? (size_t)written : 0;
}
