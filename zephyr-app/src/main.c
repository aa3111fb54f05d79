/*
 * A tmc node on Zephyr. This thread owns everything the app touches: wait for the network, give the app what
 * happened, tick. The port (runtime-c/port/zephyr) has the rest; which node it is, broker and Wi-Fi:
 * docs/zephyr.md.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "firmware-slot.h"
#include "network.h"
#include "zport.h"

#include <zephyr/kernel.h>

#define BUSY_MS 1000         /* after a message, work counts as pending for so long */
#define LONGEST_WAIT_MS 1000 /* keep-alive */

static uint32_t traps;

/* The app's traps are counted and answered by the app itself; here they only leave a line. */
static void note(tmc_trap_kind kind, const char *where) {
    if (kind != TMC_TRAP_NONE) {
        traps++;
        zport_log(ZPORT_WARN, "%s ended with trap %d", where, (int)kind);
    }
}

/* ms until the app wants its next tick. An app that does not say gets one often after a message, while
 * sensors run too. */
static int until_tick(int64_t busy_until) {
    uint32_t at_ms;
    int wait;
    if (zport_wake_wish(&at_ms)) {
        int32_t left = (int32_t)(at_ms - tmc_port_clock_ms());
        wait = left < 0 ? 0 : left < LONGEST_WAIT_MS ? left : LONGEST_WAIT_MS;
    } else {
        wait = k_uptime_get() < busy_until ? CONFIG_TMC_TICK_MS : CONFIG_TMC_IDLE_TICK_MS;
    }
    return zport_sensors_running() && wait > CONFIG_TMC_TICK_MS ? CONFIG_TMC_TICK_MS : wait;
}

static void serve_console(void) {
#ifdef CONFIG_TMC_CONSOLE
    zport_console_poll();
#endif
}

/* One round: at most one message. Returns how long the next may wait, ms. */
static int round_of_work(int wait_ms) {
    static int64_t busy_until;
    serve_console();
    if (network_ready()) {
        zport_bus_poll(wait_ms);
    } else {
        zport_bus_network_lost();
        k_sleep(K_MSEC(MIN(wait_ms, CONFIG_TMC_IDLE_TICK_MS)));
    }
    if (zport_bus_take_disconnected()) {
        zport_life_enter("disconnected");
        note(tmc_app_disconnected(), "a disconnection");
        zport_life_leave();
    }
    if (zport_bus_take_connected()) {
        zport_life_enter("connected");
        note(tmc_app_connected(), "a connection");
        zport_life_leave();
        busy_until = k_uptime_get() + BUSY_MS;
    }
    const zport_message *message = zport_bus_take_message();
    if (message != NULL) {
        zport_stats.received++;
        zport_life_enter("message");
        note(tmc_app_message(message->topic, message->payload), "a message");
        zport_life_leave();
        busy_until = k_uptime_get() + BUSY_MS;
    }
    zport_clock_update();
    zport_wake_forget();
    zport_life_enter("tick");
    note(tmc_app_tick(tmc_port_clock_ms()), "a tick");
    zport_life_leave();
    return message != NULL ? 0 : until_tick(busy_until); /* after a message there may be more */
}

int main(void) {
    zport_storage_init();
    zport_identity_init();
    zport_life_init();
#ifdef CONFIG_TMC_CONSOLE
    zport_console_init();
#endif
    bool configured = zport_servers_init();
    configured = network_start() && configured;
    zport_log(ZPORT_INFO, "boot %lu, broker %s:%u, server %.*s", (unsigned long)tmc_port_boot_counter(),
              zport_server_now()->host, zport_server_now()->port, (int)tmc_port_server_id().len,
              (const char *)tmc_port_server_id().ptr);
    zport_firmware_init();
    zport_bus_init();
    zport_watchdog_start();
    zport_life_enter("start");
    note(tmc_app_start(), "the start");
    zport_life_leave();
    /* What is missing was logged; the serial console can bring it. */
    while (!configured && !zport_restart_wanted()) {
        serve_console();
        zport_watchdog_feed();
        k_sleep(K_MSEC(CONFIG_TMC_TICK_MS));
    }
    int wait_ms = 0;
    while (!zport_restart_wanted() && !zport_firmware_overdue()) {
        wait_ms = round_of_work(wait_ms);
    }
    zport_log(
        ZPORT_INFO,
        "restart: received=%lu published=%lu refused=%lu unkept=%lu too_large=%lu connects=%lu traps=%lu",
        (unsigned long)zport_stats.received, (unsigned long)zport_stats.published,
        (unsigned long)zport_stats.refused, (unsigned long)zport_stats.unkept,
        (unsigned long)zport_stats.too_large, (unsigned long)zport_stats.connects, (unsigned long)traps);
    zport_watchdog_feed();
    zport_bus_stop();
    zport_restart_now(3);
}
