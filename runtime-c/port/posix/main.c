/*
 * The posix port: a node as a Linux process. One thread: wait for the network until the app wants a tick,
 * give the app what happened, tick. A stop by SIGTERM or SIGINT sends what is pending and ends the session
 * without DISCONNECT, so that the broker publishes the last will: whoever watches sees the node go offline.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 10           /* while sensors run, and for an app that does not say when it wants a tick */
#define LONGEST_WAIT_MS 1000 /* keep-alive, and a signal that came just before the wait */

static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t print_signal;

static void on_stop_signal(int number) {
    stop_signal = number;
}

static void on_print_signal(int number) {
    print_signal = number;
}

static void handle(int number, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    (void)sigaction(number, &action, NULL);
}

/* The app's traps are counted and answered by the app itself; here they only leave a line. */
static void note(tmc_trap_kind kind, const char *where) {
    if (kind != TMC_TRAP_NONE) {
        posix_stats.traps++;
        posix_log(LOG_WARN, "%s ended with trap %d", where, (int)kind);
    }
}

/* "statistics name=value ...": tests and people read it. */
static void print_statistics(void) {
    const posix_bus_stats *s = &posix_stats;
    int level = posix_opt.log_level;
    posix_opt.log_level = LOG_INFO; /* whatever was chosen */
    posix_log(
        LOG_INFO,
        "statistics received=%llu too_large=%llu queue_full=%llu undelivered=%llu published=%llu "
        "refused=%llu "
        "unacknowledged=%llu attempts=%llu connects=%llu disconnects=%llu traps=%llu ticks=%llu frames=%llu "
        "frames_lost=%llu boot=%lu",
        (unsigned long long)s->received, (unsigned long long)s->too_large, (unsigned long long)s->queue_full,
        (unsigned long long)s->undelivered, (unsigned long long)s->published, (unsigned long long)s->refused,
        (unsigned long long)s->unacknowledged, (unsigned long long)s->attempts,
        (unsigned long long)s->connects, (unsigned long long)s->disconnects, (unsigned long long)s->traps,
        (unsigned long long)s->ticks, (unsigned long long)posix_sensors_frames(),
        (unsigned long long)posix_sensors_lost(), (unsigned long)tmc_port_boot_counter());
    posix_opt.log_level = level;
}

void posix_deliver(void) {
    posix_message *m = posix_queue_peek();
    if (m == NULL || !posix_bus_has_room()) {
        return;
    }
    tmc_str topic = {(const uint8_t *)m->topic, m->topic_len};
    posix_stats.received++;
    note(tmc_app_message(topic, (tmc_arr_u8){m->payload, m->payload_len}), "a message");
    posix_queue_drop();
}

/* ms that the loop may wait for the network. */
static int until_tick(int64_t end_us) {
    int64_t wait = LONGEST_WAIT_MS;
    uint32_t at_ms;
    if (!posix_wake_wish(&at_ms)) {
        wait = TICK_MS;
    } else if ((int32_t)(at_ms - tmc_port_clock_ms()) < wait) {
        wait = (int32_t)(at_ms - tmc_port_clock_ms());
    }
    if (posix_sensors_running() && wait > TICK_MS) {
        wait = TICK_MS;
    }
    if (end_us != INT64_MAX && (end_us - posix_now_us()) / 1000 + 1 < wait) {
        wait = (end_us - posix_now_us()) / 1000 + 1;
    }
    return wait < 0 ? 0 : (int)wait;
}

static void run(void) {
    int64_t end = posix_opt.exit_after_ms < 0 ? INT64_MAX : posix_now_us() + posix_opt.exit_after_ms * 1000;
    note(tmc_app_start(), "the start");
    while (stop_signal == 0 && !posix_restart_wanted() && posix_now_us() < end) {
        posix_bus_poll(posix_queue_peek() != NULL && posix_bus_has_room() ? 0 : until_tick(end));
        if (posix_bus_take_disconnected()) {
            note(tmc_app_disconnected(), "a disconnection");
        }
        if (posix_bus_take_connected()) {
            note(tmc_app_connected(), "a connection");
        }
        posix_deliver();
        posix_sensors_advance();
        posix_wake_forget();
        posix_stats.ticks++;
        note(tmc_app_tick(tmc_port_clock_ms()), "a tick");
        if (print_signal != 0) {
            print_signal = 0;
            print_statistics();
        }
    }
}

int main(int argc, char **argv) {
    int code = posix_options_parse(argc, argv);
    if (code >= 0) {
        return code;
    }
    if (!posix_sensors_init()) {
        return EXIT_USAGE;
    }
    /* A second signal ends the process at once. */
    handle(SIGTERM, on_stop_signal, (int)SA_RESETHAND);
    handle(SIGINT, on_stop_signal, (int)SA_RESETHAND);
    handle(SIGUSR1, on_print_signal, SA_RESTART);
    handle(SIGPIPE, SIG_IGN, 0);
    if (!posix_state_open() || !posix_bus_init()) {
        return EXIT_STATE;
    }
    posix_log(LOG_INFO, "boot %lu, broker %s:%d, server %s", (unsigned long)tmc_port_boot_counter(),
              posix_opt.host, posix_opt.port, posix_opt.server_id);
    run();
    posix_bus_stop();
    posix_log_flush();
    print_statistics();
    if (posix_restart_wanted() && stop_signal == 0) {
        posix_state_set_reset_reason(3);
        posix_log(LOG_INFO, "restart");
        (void)execv("/proc/self/exe", argv);
        posix_log(LOG_ERROR, "restart: %s", strerror(errno));
        return EXIT_STATE;
    }
    posix_state_set_reset_reason(1);
    return 0;
}
