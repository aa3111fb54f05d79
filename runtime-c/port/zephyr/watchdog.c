/*
 * The Zephyr port: the watchdog and what it leaves behind. The board's hardware watchdog (alias watchdog0)
 * where there is one, else a software watchdog: a kernel timer, which needs interrupts to work. Both are fed
 * only by the main loop, when a handler begins or has returned, so a handler that runs for longer than
 * CONFIG_TMC_HANDLER_MAX_MS ends in a reset. Which handler that was, and the site of an uncaught trap, lie in
 * memory that the reset leaves alone (life.h), and go from there into the settings.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "life.h"
#include "zport.h"

#include <stdlib.h>
#include <string.h>
#include <zephyr/drivers/watchdog.h>
#include <zephyr/fatal.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/reboot.h>

#define HARDWARE (DT_NODE_HAS_STATUS(DT_ALIAS(watchdog0), okay) && IS_ENABLED(CONFIG_WATCHDOG))

#ifdef CONFIG_ARCH_POSIX
#include "watchdog-native.h"
#endif

#if CONFIG_TMC_RETAINED_ADDRESS != 0
static life_record *const record = (life_record *)CONFIG_TMC_RETAINED_ADDRESS;
#else
static life_record retained __noinit;
static life_record *const record = &retained;
#endif

static life_crash last;
static struct k_thread *app;

/* ---- what the boot before left
 * ------------------------------------------------------------------------------------- */

static void tell(void) {
    if (last.kind == LIFE_WATCHDOG) {
        zport_log(ZPORT_WARN, "boot %lu was ended by the watchdog during %s", (unsigned long)last.boot,
                  last.work);
    } else if (last.kind == LIFE_FAULT) {
        zport_log(ZPORT_WARN, "boot %lu was ended by a fault at 0x%lx during %s", (unsigned long)last.boot,
                  (unsigned long)last.site, last.work);
    } else {
        zport_log(ZPORT_WARN, "boot %lu was ended by trap %ld at site %lu during %s",
                  (unsigned long)last.boot, (long)last.kind, (unsigned long)last.site, last.work);
    }
}

void zport_life_init(void) {
#ifdef CONFIG_ARCH_POSIX
    tmc_native_retained(record, sizeof *record);
#endif
    app = k_current_get();
    life_crash found;
    life_outcome outcome = life_before(record, &found);
    int32_t reason = tmc_port_reset_reason();
    /* Hardware that tells why it was reset knows best whether that was the watchdog. */
    bool bitten = outcome == LIFE_CUT && (IS_ENABLED(CONFIG_HWINFO) ? reason == 4 : true);
    if (outcome == LIFE_CRASHED || bitten) {
        last = found;
        (void)zport_setting_write("crash", &last, sizeof last);
        zport_storage_correct_reset_reason(bitten ? 4 : 6);
        tell();
    } else if (zport_setting_read("crash", &last, sizeof last) != (int32_t)sizeof last ||
               !life_valid(&last)) {
        last.kind = 0;
    }
    life_begin(record, tmc_port_boot_counter());
}

int32_t tmc_port_crash_kind(void) {
    return last.kind;
}

uint32_t tmc_port_crash_site(void) {
    return last.site;
}

uint32_t tmc_port_crash_boot(void) {
    return last.boot;
}

tmc_str tmc_port_crash_work(void) {
    const char *end = memchr(last.work, 0, sizeof last.work);
    return (tmc_str){(const uint8_t *)last.work,
                     end == NULL ? (int32_t)sizeof last.work : (int32_t)(end - last.work)};
}

/* ---- what this boot leaves
 * ----------------------------------------------------------------------------------------- */

void tmc_port_at_work(tmc_str what) {
    life_work(record, what.ptr, (size_t)what.len);
}

void zport_life_enter(const char *entry) {
    life_enter(record, entry);
    zport_watchdog_feed();
}

void zport_life_leave(void) {
    life_leave(record);
    zport_watchdog_feed();
}

void zport_life_end(void) {
    life_end(record);
}

void zport_life_crashed(int32_t kind, uint32_t site) {
    life_crashed(record, kind, site);
}

/* In place of Zephyr's, which halts the board. */
void k_sys_fatal_error_handler(unsigned int reason, const struct arch_esf *esf) {
    ARG_UNUSED(reason);
    uint32_t address = 0;
#ifdef CONFIG_ARM
    address = esf != NULL ? esf->basic.pc : 0U;
#else
    ARG_UNUSED(esf);
#endif
    life_crashed(record, LIFE_FAULT, address);
    sys_reboot(SYS_REBOOT_COLD);
    CODE_UNREACHABLE;
}

int32_t tmc_port_stack_free(void) {
#if defined(CONFIG_INIT_STACKS) && defined(CONFIG_THREAD_STACK_INFO) && !defined(CONFIG_ARCH_POSIX)
    size_t unused = 0;
    return k_thread_stack_space_get(app, &unused) == 0 ? (int32_t)unused : -1;
#else
    return -1; /* threads of native_sim run on stacks of the host */
#endif
}

int32_t tmc_port_stack_left(void) {
#if defined(CONFIG_THREAD_STACK_INFO) && !defined(CONFIG_ARCH_POSIX)
    const uintptr_t end = k_current_get()->stack_info.start;
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return here > end ? (int32_t)(here - end) : 0;
#else
    return 0;
#endif
}

/* ---- the watchdog
 * -------------------------------------------------------------------------------------------------- */

static bool started;

#if HARDWARE
static const struct device *const device = DEVICE_DT_GET(DT_ALIAS(watchdog0));
static int channel;

static bool start(uint32_t limit_ms) {
    const struct wdt_timeout_cfg timeout = {
        .window = {.min = 0, .max = limit_ms}, .callback = NULL, .flags = WDT_FLAG_RESET_SOC};
    if (!device_is_ready(device)) {
        return false;
    }
    channel = wdt_install_timeout(device, &timeout);
    return channel >= 0 && wdt_setup(device, WDT_OPT_PAUSE_HALTED_BY_DBG) == 0;
}

static void feed(void) {
    (void)wdt_feed(device, channel);
}
#else
static uint32_t period_ms;

static void bite(struct k_timer *timer) {
    ARG_UNUSED(timer);
#ifdef CONFIG_ARCH_POSIX
    tmc_native_bite();
#else
    sys_reboot(SYS_REBOOT_COLD);
#endif
}

static K_TIMER_DEFINE(software_watchdog, bite, NULL);

static bool start(uint32_t limit_ms) {
    period_ms = limit_ms;
#ifdef CONFIG_ARCH_POSIX
    tmc_native_watchdog((int)limit_ms);
#endif
    k_timer_start(&software_watchdog, K_MSEC(limit_ms), K_NO_WAIT);
    return true;
}

static void feed(void) {
    k_timer_start(&software_watchdog, K_MSEC(period_ms), K_NO_WAIT);
#ifdef CONFIG_ARCH_POSIX
    tmc_native_watchdog((int)period_ms);
#endif
}
#endif

void zport_watchdog_start(void) {
    const char *given = zport_args()->handler_max;
    uint32_t limit_ms = given != NULL ? strtoul(given, NULL, 10) : 0;
    if (limit_ms == 0) {
        limit_ms = CONFIG_TMC_HANDLER_MAX_MS;
    }
    if (!IS_ENABLED(CONFIG_TMC_WATCHDOG)) {
        return;
    }
    started = start(limit_ms);
    if (started) {
        zport_log(ZPORT_INFO, "%s watchdog of %lu ms", HARDWARE ? "hardware" : "software",
                  (unsigned long)limit_ms);
    } else {
        zport_log(ZPORT_ERROR, "the watchdog does not start");
    }
}

void zport_watchdog_feed(void) {
    if (started) {
        feed();
    }
}
