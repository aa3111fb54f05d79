/*
 * Internal to the Zephyr port: identity and network, written over the serial console.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PROVISION_H
#define TMC_PROVISION_H

#include "zport.h"

/* Executes one command (words separated by single blanks; changed by the call) and prints its answer. */
void zport_provision_line(char *words);

/* ---- keys.c (CONFIG_TMC_TLS) ---- */

/* Makes a P-256 key pair; writes the private key as DER. Returns its size, 0 on failure. */
size_t zport_key_generate(uint8_t *out, size_t size);
/* A certificate request (PKCS #10, DER) for the private key, with the node's id as its common name. The
 * request is at the END of out; returns its size, 0 on failure. */
size_t zport_key_request(const uint8_t *key, size_t key_size, const char *id, uint8_t *out, size_t size);

#endif
