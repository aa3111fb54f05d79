/*
 * Traps and boundaries: how a failed check leaves the code that failed. One thread owns the app, so the
 * innermost boundary is one static pointer. It does not print or count: the boundary that catches decides.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/tmc.h"

static tmc_boundary *innermost;

void tmc_boundary_push(tmc_boundary *b) {
    b->outer = innermost;
    b->info.kind = TMC_TRAP_NONE;
    b->info.site = 0;
    b->info.message.ptr = NULL;
    b->info.message.len = 0;
    innermost = b;
}

void tmc_boundary_pop(tmc_boundary *b) {
    innermost = b->outer;
}

void tmc_rethrow(const tmc_trap_info *info) {
    tmc_boundary *b = innermost;
    if (b == NULL) {
        tmc_port_fatal(info);
    }
    innermost = b->outer;
    b->info = *info;
    longjmp(b->env, 1);
}

void tmc_rethrow_kept(const uint16_t *kinds, int32_t kind, int32_t site, tmc_str message) {
    tmc_trap_info info = {TMC_TRAP_ASSERT, site, {NULL, 0}};
    for (int32_t i = (int32_t)TMC_TRAP_INDEX; i < (int32_t)TMC_TRAP_ASSERT; i++) {
        if (kinds[i] == kind) {
            info.kind = (tmc_trap_kind)i;
        }
    }
    if (info.kind == TMC_TRAP_THROW) {
        info.message = message;
    }
    tmc_rethrow(&info);
}

void tmc_trap(tmc_trap_kind kind, int32_t site) {
    const tmc_trap_info info = {kind, site, {NULL, 0}};
    tmc_rethrow(&info);
}

void tmc_throw(tmc_str message, int32_t site) {
    const tmc_trap_info info = {TMC_TRAP_THROW, site, message};
    tmc_rethrow(&info);
}
