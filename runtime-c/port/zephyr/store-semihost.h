/*
 * Internal to the Zephyr port: the host file behind the simulated flash of a QEMU board. On every other board
 * both functions do nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_ZPORT_STORE_SEMIHOST_H
#define TMC_ZPORT_STORE_SEMIHOST_H

#ifdef CONFIG_TMC_STORE_SEMIHOST
void zport_store_load(void);
void zport_store_save(void);
#else
static inline void zport_store_load(void) {
}
static inline void zport_store_save(void) {
}
#endif

#endif
