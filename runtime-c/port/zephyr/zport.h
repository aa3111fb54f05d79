/*
 * Internal to the Zephyr port: what the files of this folder and the application's main loop share; generated
 * code sees only tmc/port.h. One thread (main) owns the app, the MQTT client and the socket; only a sensor
 * that is read from hardware has a thread of its own. Every buffer is static, sized by CONFIG_TMC_*
 * (zephyr-app/Kconfig).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_ZPORT_H
#define TMC_ZPORT_H

#include "tmc/port.h"

#define ZPORT_ID_MAX 23    /* characters of a node or server id */
#define ZPORT_HOST_MAX 127 /* characters of a broker's name */
#define ZPORT_PASSWORD_MAX 64
#define ZPORT_ALPN_MAX 31

/* ---- log and clock (system.c) ----------------------------------------------------------------------------
 */

/* One line on the console: "ID level: text". */
enum { ZPORT_ERROR = 0, ZPORT_WARN = 1, ZPORT_INFO = 2, ZPORT_DEBUG = 3 };
void zport_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Clears the counters' wrap: call at least every 10 seconds. */
void zport_clock_update(void);
/* What tmc_port_wake_at said since zport_wake_forget; false: nothing. */
bool zport_wake_wish(uint32_t *at_ms);
void zport_wake_forget(void);
bool zport_restart_wanted(void);
/* Resets the board or emulator; on native_sim, starts the process anew. reason: as tmc_port_reset_reason. */
_Noreturn void zport_restart_now(int32_t reason);

/* ---- settings: boot counter, storage (storage.c)
 * --------------------------------------------------------------- */

/* Mounts the settings, counts the boot, learns the reset reason. A failure is logged; the node then runs
 * without. */
void zport_storage_init(void);
/* Reads the setting "tmc/NAME" into out (not terminated). Returns its size, -1 when absent. */
int32_t zport_setting_read(const char *name, void *out, size_t size);
/* The same as text, cut to what fits; NULL when absent or empty. */
const char *zport_setting_text(const char *name, char *out, size_t size);
/* Stores the setting, or deletes it when size is 0. */
bool zport_setting_write(const char *name, const void *bytes, size_t size);
/* Remembers for the next boot why it happens. */
void zport_storage_set_reset_reason(int32_t reason);
/* The retained record knows better why this boot happened. */
void zport_storage_correct_reset_reason(int32_t reason);

/* ---- watchdog, and what ends a boot (watchdog.c)
 * ----------------------------------------------------------------- */

/* Learns what ended the boot before; after zport_storage_init, by the thread that will run the app. */
void zport_life_init(void);
/* Starts the watchdog. From then on handlers are run between enter and leave, which feed it. */
void zport_watchdog_start(void);
/* For work of the main thread that may take long and makes progress, e.g. erasing flash sector by sector. */
void zport_watchdog_feed(void);
/* A handler of the app begins, by a name of at most 23 characters; it returned. */
void zport_life_enter(const char *entry);
void zport_life_leave(void);
/* The board will be reset: on purpose, or because of an uncaught trap (kind, site). */
void zport_life_end(void);
void zport_life_crashed(int32_t kind, uint32_t site);

/* ---- run-time arguments (arguments.c and one file a source)
 * ------------------------------------------------------ */

typedef struct {
    const char *id;     /* each NULL when not given */
    const char *server; /* mqtt://HOST[:PORT] */
    const char *server_id;
    const char *sensor;      /* NAME=generator:G[,seed=N] or NAME=csv:FILE */
    const char *handler_max; /* the watchdog's limit, ms */
    const char *store;       /* QEMU: the host file that keeps the flash */
} zport_arguments;

/* Emulators: reads a file of the host. Its size, -1 when it cannot be read or is larger than `size`. */
int32_t zport_file_load(const char *path, char *out, size_t size);

/* What the emulator's command line said; all NULL on a board. */
const zport_arguments *zport_args(void);

/* ---- identity (identity.c) and brokers (servers.c)
 * ------------------------------------------------------------------ */

/* Resolves the ids: arguments, then settings, then Kconfig, then the chip's id. */
void zport_identity_init(void);

typedef struct {
    char host[ZPORT_HOST_MAX + 1];
    uint16_t port;
    bool secure; /* TLS */
} zport_server;

/* Reads the list of brokers. False when there is none: the reason is logged. */
bool zport_servers_init(void);
/* The one to try, or in use. */
const zport_server *zport_server_now(void);
/* The one preferred. */
const zport_server *zport_server_first(void);
/* The attempt failed: goes on to the next. True when that is the first again: time to wait. */
bool zport_server_failed(void);
/* A session ended: begins with the first again. */
void zport_server_restart(void);
/* Where to ask for the time; false when nowhere. */
bool zport_sntp_server(char *host, uint16_t *port);

/* ---- time of day (clock.c)
 * ---------------------------------------------------------------------------------------- */

/* Asks for the time when that is due: waits up to two seconds for the answer. */
void zport_time_sync(void);
/* Seconds since 1970; false while nobody has said. */
bool zport_time(int64_t *seconds);

/* ---- the connection under MQTT (transport.c)
 * --------------------------------------------------------------------------- */

typedef enum { ZPORT_FAILED = -1, ZPORT_PENDING = 0, ZPORT_READY = 1 } zport_state;

/* Resolves the broker's name and begins a connection. */
zport_state zport_transport_open(const zport_server *server);
/* Waits up to timeout_ms for the connection begun by open, its TLS handshake included. */
zport_state zport_transport_established(int timeout_ms);
/* Waits up to timeout_ms for bytes. ZPORT_READY: there are some; ZPORT_FAILED: the connection is gone. */
zport_state zport_transport_readable(int timeout_ms);
/* False when the broker's certificate is out of date by the clock that is known by now. */
bool zport_transport_valid(void);
void zport_transport_close(void);

/* ---- bus (bus.c)
 * ----------------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t received;  /* messages given to the app */
    uint32_t too_large; /* dropped: payload above CONFIG_TMC_MESSAGE_MAX, or the topic too long */
    uint32_t published;
    uint32_t refused; /* publish calls that returned false */
    uint32_t unkept;  /* of published: sent, but not kept until acknowledged: the outbox was full */
    uint32_t attempts;
    uint32_t connects;
    uint32_t disconnects;
} zport_bus_stats;

typedef struct {
    tmc_str topic;
    tmc_arr_u8 payload;
} zport_message;

extern zport_bus_stats zport_stats;

void zport_bus_init(void);
/* Waits up to timeout_ms for the network and handles what arrived, at most one message; never calls the app.
 */
void zport_bus_poll(int timeout_ms);
/* The network under the connection is gone: ends it at once instead of by time-out. */
void zport_bus_network_lost(void);
/* True once for each session ended / begun since the last call; "ended" is to be asked first. */
bool zport_bus_take_disconnected(void);
bool zport_bus_take_connected(void);
/* The message the last poll received, NULL when none; valid until the next poll. */
const zport_message *zport_bus_take_message(void);
/* Ends the session WITHOUT a DISCONNECT packet: the broker then publishes the last will. */
void zport_bus_stop(void);

/* ---- back to the preferred broker (preferred.c)
 * --------------------------------------------------------------------------------- */

/* True when the first broker of the list takes connections again, while another is in use. */
bool zport_preferred_back(void);
/* A session began: the next look is a whole interval away. */
void zport_preferred_forget(void);

/* ---- serial console (console.c)
 * ----------------------------------------------------------------------------------------- */

void zport_console_init(void);
/* Executes the lines that have arrived. */
void zport_console_poll(void);

/* ---- sensors (sensor.c and one file a kind of source)
 * ------------------------------------------------------------------ */

#define ZPORT_CHANNELS_MAX 3
#define ZPORT_RATE_MHZ_MAX 10000000 /* 10 kHz */

typedef struct zport_source zport_source;
struct zport_source {
    const char *name;
    int32_t channels;
    bool own_thread; /* read() waits for hardware */
    /* Prepares the source for frames at this rate; it may be called again. */
    bool (*start)(const zport_source *source, int32_t rate_mhz);
    /* Nobody wants its frames any more. NULL: nothing to do. */
    void (*stop)(const zport_source *source);
    /* Writes the next frame: `channels` values. False when the hardware did not answer. */
    bool (*read)(const zport_source *source, float *frame);
    /*
     * Not NULL: the hardware queues samples by itself, and `read` is not used. Gives what is queued to
     * zport_sensor_sample and zport_sensor_gap; sources that share a queue share the function.
     */
    void (*drain)(void);
    /* How often it must be drained, ticks. */
    int64_t (*interval)(void);
    const void *context;
};

/* For `drain`: a sample, taken at that tick; samples up to that tick are gone. */
void zport_sensor_sample(const zport_source *source, const float *sample, int64_t at);
void zport_sensor_gap(const zport_source *source, int64_t until);

/* The sensors of this board: those of the devicetree (sensor-device.c) or a simulated one
 * (sensor-simulated.c). */
const zport_source *zport_sources(int32_t *count);
bool zport_sensors_running(void);

#endif
