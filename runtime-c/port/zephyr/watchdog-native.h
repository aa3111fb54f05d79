/*
 * What the Linux side of native_sim does for watchdog.c: simulated time stands still while a handler
 * computes, so that a kernel timer alone never sees an endless loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_WATCHDOG_NATIVE_H
#define TMC_WATCHDOG_NATIVE_H

#include <stddef.h>

/* Fills the record with what the process had in it before it restarted itself (else zeros), and keeps it over
 * the next such restart. At most 256 bytes. */
void tmc_native_retained(void *record, size_t size);
/* Restarts the process when it has used so much processor time; each call begins anew. */
void tmc_native_watchdog(int limit_ms);
/* Restarts the process, at once. */
void tmc_native_bite(void);
/* The process will restart when it ends, once its exit hooks have run. */
void tmc_native_restart_at_exit(void);

#endif
