/*
 * A Zephyr application with a main() of its own that calls the TypeScript of ../../call-c/filter.ts: a thread
 * reads the converter (here a table) every 10 ms, TypeScript smooths, and a second thread shows what came
 * out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "filter.h"

#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

/* ---- what filter.ts calls ------------------------------------------------------------------- */

uint16_t board_read_adc(int32_t channel) {
    /* With a converter: adc_read() of <zephyr/drivers/adc.h>. */
    static const uint16_t readings[2][6] = {{0, 1000, 2000, 3000, 4095, 4000}, {7, 7, 7, 7, 7, 7}};
    static size_t next[2];
    return readings[channel][next[channel]++ % 6];
}

void board_show_quality(uint16_t quality, tmc_str label) {
    printk("%.*s is %s\n", (int)label.len, (const char *)label.ptr,
           quality == FILTER_CLIPPED ? "clipped" : "good");
}

/* ---- what the run-time library needs of a platform: where log() prints, how it ends --------------- */

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    printk("%.*s", (int)size, (const char *)bytes);
}

_Noreturn void tmc_port_fatal(const tmc_trap_info *info) {
    /* A trap outside of every entry. */
    printk("trap %d at site %d\n", (int)info->kind, (int)info->site);
    k_panic();
    CODE_UNREACHABLE;
}

/* ---- threads: one owns the TypeScript, the others send to it or receive from it ------------------- */

struct reading {
    float volts;
    tmc_trap_kind trap;
};
K_MSGQ_DEFINE(readings, sizeof(struct reading), 4, 4);

static void sample(void *a, void *b, void *c) {
    ARG_UNUSED(a);
    ARG_UNUSED(b);
    ARG_UNUSED(c);
    /* Channel 5 is not there: the trap ends the call, not the thread. */
    static const int32_t channels[] = {0, 0, 0, 0, 0, 0, 5, 1};
    for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
        struct reading r = {0};
        r.trap = tmc_filter_step(channels[i], &r.volts);
        k_msgq_put(&readings, &r, K_FOREVER);
        k_msleep(10);
    }
}
K_THREAD_DEFINE(sampler, 2048, sample, NULL, NULL, NULL, 5, K_FP_REGS, 0);

int main(void) {
    for (int i = 0; i < 8; i++) {
        struct reading r;
        k_msgq_get(&readings, &r, K_FOREVER);
        if (r.trap == TMC_TRAP_NONE) {
            printk("%d mV\n", (int)(r.volts * 1000.0f + 0.5f));
        } else {
            printk("trap %d\n", (int)r.trap);
        }
    }
    printk("done\n");
    return 0;
}
