/*
 * The Zephyr port: log, clock, random numbers, and the two ways a node ends. Not here: why it started
 * (storage.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <stdarg.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>
#include <zephyr/sys/printk.h>
#include <zephyr/sys/reboot.h>

/* native_sim restarts by itself since Zephyr 4.2 only */
#define OWN_RESTART (IS_ENABLED(CONFIG_ARCH_POSIX) && !IS_ENABLED(CONFIG_NATIVE_SIM_REBOOT))

#if OWN_RESTART
#include "watchdog-native.h"

#include <posix_board_if.h>
#endif

static bool restart_wanted;
static bool wake_wanted;
static uint32_t wake_ms;

/* ---- log
 * ---------------------------------------------------------------------------------------------------- */

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char c = (char)bytes[i];
        k_str_out(&c, 1);
    }
}

void zport_log(int level, const char *format, ...) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > CONFIG_TMC_LOG_LEVEL) {
        return;
    }
    tmc_str id = tmc_port_node_id();
    va_list arguments;
    va_start(arguments, format);
    printk("%.*s %s: ", (int)id.len, (const char *)id.ptr, names[level]);
    vprintk(format, arguments);
    printk("\n");
    va_end(arguments);
}

/* ---- clock
 * -------------------------------------------------------------------------------------------------- */

uint32_t tmc_port_clock_ms(void) {
    return k_uptime_get_32();
}

/* The cycle counter of a Cortex-M wraps within a minute at 80 MHz: its steps are summed up here. */
static uint64_t clock_cycles(void) {
    static uint64_t total;
    static uint32_t last;
    uint32_t now = k_cycle_get_32();
    total += now - last;
    last = now;
    return total;
}

void zport_clock_update(void) {
    (void)clock_cycles();
}

uint32_t tmc_port_clock_us(void) {
    uint64_t cycles = clock_cycles();
    uint64_t rate = (uint64_t)sys_clock_hw_cycles_per_sec();
    /* In two parts, so that the product stays below 2^64 for ever. */
    return (uint32_t)(cycles / rate * 1000000U + cycles % rate * 1000000U / rate);
}

/* ---- random
 * ---------------------------------------------------------------------------------------------------- */

/* Emulated boards have no entropy: who we are and the count of boots at least tell nodes and starts apart. */
uint32_t tmc_port_random_u32(void) {
    static uint32_t salt;
    if (salt == 0) {
        tmc_str id = tmc_port_node_id();
        salt = 0x811c9dc5U ^ (tmc_port_boot_counter() * 0x9e3779b1U); /* FNV-1a */
        for (int32_t i = 0; i < id.len; i++) {
            salt = (salt ^ id.ptr[i]) * 0x01000193U;
        }
        salt |= 1U;
    }
    return sys_rand32_get() ^ (IS_ENABLED(CONFIG_TMC_EMULATED) ? salt : 0U);
}

/* ---- the end
 * ------------------------------------------------------------------------------------------------------ */

void tmc_port_wake_at(uint32_t at_ms) {
    wake_wanted = true;
    wake_ms = at_ms;
}

bool zport_wake_wish(uint32_t *at_ms) {
    *at_ms = wake_ms;
    return wake_wanted;
}

void zport_wake_forget(void) {
    wake_wanted = false;
}

void tmc_port_restart(void) {
    restart_wanted = true; /* the main loop ends the session first */
}

bool zport_restart_wanted(void) {
    return restart_wanted;
}

#if OWN_RESTART
/* In place of Zephyr's, which does nothing. */
void sys_arch_reboot(int type) {
    ARG_UNUSED(type);
    tmc_native_restart_at_exit();
    posix_exit(0);
}
#endif

_Noreturn void zport_restart_now(int32_t reason) {
    zport_storage_set_reset_reason(reason);
    zport_life_end();
    k_sleep(K_MSEC(20)); /* the console empties */
    sys_reboot(SYS_REBOOT_COLD);
    CODE_UNREACHABLE;
}

_Noreturn void tmc_port_fatal(const tmc_trap_info *info) {
    zport_log(ZPORT_ERROR, "uncaught trap %d at site %ld %.*s", (int)info->kind, (long)info->site,
              info->message.ptr != NULL ? (int)info->message.len : 0,
              info->message.ptr != NULL ? (const char *)info->message.ptr : "");
    zport_life_crashed((int32_t)info->kind, (uint32_t)info->site);
    zport_bus_stop();
    zport_restart_now(6);
}
