/*
 * mbedTLS of a node, after Zephyr's settings (CONFIG_MBEDTLS_USER_CONFIG_FILE): what only a TLS server, a
 * reader of certificates for people, or a cipher mode that a node does not speak would need is left out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_MBEDTLS_H
#define TMC_MBEDTLS_H

/* A node is a client. */
#undef MBEDTLS_SSL_SRV_C
/* Names of algorithms and attributes as text. */
#define MBEDTLS_X509_REMOVE_INFO
/* GCM encrypts blocks in both directions: no tables for decryption. */
#if !defined(MBEDTLS_CIPHER_MODE_CBC) && !defined(MBEDTLS_CIPHER_MODE_XTS) && !defined(MBEDTLS_DES_C) &&     \
    !defined(MBEDTLS_NIST_KW_C)
#define MBEDTLS_BLOCK_CIPHER_NO_DECRYPT
#endif

#endif
