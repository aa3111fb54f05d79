/*
 * The port API: what a platform (posix, cortex-m, zephyr) implements for generated code, and what generated
 * code offers to the platform. One thread owns the app: a port calls the tmc_app_* entries one at a time.
 * Functions marked [bus] are needed only by nodes, not by `tmc exec` programs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PORT_H
#define TMC_PORT_H

#include "tmc/tmc.h"

/* ---- the port implements: every port ------------------------------------------------------------ */

void tmc_port_log_write(const uint8_t *bytes, size_t size); /* raw output of log(); lines end in \n */
uint32_t tmc_port_clock_ms(void);                           /* monotonic, wraps after 49.7 days */
uint32_t tmc_port_clock_us(void);                           /* monotonic, wraps after 71.6 minutes */
uint32_t tmc_port_random_u32(void);

/* ---- the port implements: nodes [bus] -------------------------------------------------------------- */

/* Identity, fixed for the life of the process. 1-23 characters of [0-9a-z-]. */
tmc_str tmc_port_node_id(void);
tmc_str tmc_port_server_id(void);
/* Counts boots, kept over restarts by the port. */
uint32_t tmc_port_boot_counter(void);
/* 0 unknown, 1 power-on, 2 pin, 3 software, 4 watchdog, 5 brown-out, 6 trap. */
int32_t tmc_port_reset_reason(void);

/* What runs from now on: an operation's name, or "" = nothing. Copied (the first 23 characters). */
void tmc_port_at_work(tmc_str what);
/* Bytes of the app's stack that were never used since boot; -1 = unknown. */
int32_t tmc_port_stack_free(void);
/* Bytes of the stack below the caller's frame; 0 = unknown. */
int32_t tmc_port_stack_left(void);
/* The last crash of any boot, kept over restarts. kind: 0 none, 1-8 an uncaught trap (tmc_trap_kind), 16 the
 * watchdog (a handler ran for too long), 17 a fault of the processor. site: of the trap, or the address of
 * the fault. boot: the one that it ended. work: what ran. */
int32_t tmc_port_crash_kind(void);
uint32_t tmc_port_crash_site(void);
uint32_t tmc_port_crash_boot(void);
tmc_str tmc_port_crash_work(void);

/* Sets the last will of the next connection; copied. Call from tmc_app_start. */
bool tmc_port_bus_will(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain);
/* Asks the port to connect and to stay connected (reconnect with jittered backoff). Returns at once. */
bool tmc_port_bus_connect(void);
/* False when not connected, too large, or no room: the caller counts the drop. The payload is copied or sent
 * before the call returns. */
bool tmc_port_bus_publish(tmc_str topic, tmc_arr_u8 payload, int32_t qos, bool retain);
bool tmc_port_bus_subscribe(tmc_str topic, int32_t qos);
bool tmc_port_bus_connected(void);

/* Sensors. A sensor is opened by name ("accelerometer"); -1 = this board has none.
 * Sampling runs in the background at rate_mhz (milli-hertz) and fills a ring of the port:
 * take() moves up to out.len / channels whole frames (channel-interleaved, in the sensor's unit) to out and
 * returns how many frames; lost() counts frames that found the ring full since start. */
int32_t tmc_port_sensor_open(tmc_str name);
int32_t tmc_port_sensor_channels(int32_t sensor);
bool tmc_port_sensor_start(int32_t sensor, int32_t rate_mhz);
int32_t tmc_port_sensor_take(int32_t sensor, tmc_arr_f32 out);
uint32_t tmc_port_sensor_lost(int32_t sensor);
/* The most frames that waited in the ring at once, since boot. */
int32_t tmc_port_sensor_most(int32_t sensor);
void tmc_port_sensor_stop(int32_t sensor);

/* Actuators, opened by name ("led-1"); -1 = this board has none. write() sets all channels, values in the
 * actuator's unit; false when it is not possible. */
int32_t tmc_port_actuator_open(tmc_str name);
int32_t tmc_port_actuator_channels(int32_t actuator);
bool tmc_port_actuator_write(int32_t actuator, tmc_arr_f32 values);

/* Small settings by key ([a-z0-9./-], at most 32 characters), kept over restarts.
 * read returns the size (copies at most out.len bytes), -1 when absent. */
int32_t tmc_port_storage_read(tmc_str key, tmc_arr_u8 out);
bool tmc_port_storage_write(tmc_str key, tmc_arr_u8 value);

/* Slots: what a node takes over the bus, one version running while another is received (tmc/update.h,
 * docs/updates.md). Artifacts are signed by the owner of the node: P-256, whose public key the platform knows
 * as an uncompressed point of 65 bytes, 4, x, y (on Zephyr the setting tmc/update-key; on posix --update-key
 * FILE, PEM). Each function gives 0 or more, or minus a tmc_update_result, or minus one of these. */
enum { TMC_SLOT_MODEL = 1, TMC_SLOT_FUNCTION = 2, TMC_SLOT_FIRMWARE = 3 }; /* kinds, as in headers */
enum {
    TMC_SLOT_ABSENT = 32, /* this node keeps nothing of the kind */
    TMC_SLOT_NO_KEY = 33  /* nobody may update this node: it has no key of an owner */
};
enum { TMC_SLOT_EMPTY = 0, TMC_SLOT_CONFIRMED = 1, TMC_SLOT_ON_TRIAL = 2 };

/* Bytes of content that a version may have. */
int32_t tmc_port_slot_room(int32_t kind);
/* Decides what runs: TMC_SLOT_EMPTY, _CONFIRMED or _ON_TRIAL (this takes one of its starts). At every start,
 * before the others, and again after try, reject and remove. */
int32_t tmc_port_slot_boot(int32_t kind);
/* A header of 192 bytes. Checks it and its signature before anything is erased; gives where to go on in the
 * content. -TMC_UPDATE_THERE: this version runs. */
int32_t tmc_port_slot_begin(int32_t kind, tmc_arr_u8 header);
int32_t tmc_port_slot_write(int32_t kind, int32_t offset, tmc_arr_u8 bytes);
int32_t tmc_port_slot_finish(int32_t kind); /* all came: compares the digest */
int32_t tmc_port_slot_try(int32_t kind);    /* it runs from the next boot on, on trial */
int32_t tmc_port_slot_confirm(int32_t kind);
int32_t tmc_port_slot_reject(int32_t kind);
int32_t tmc_port_slot_remove(int32_t kind);
/* Of what runs: its header (192; 0 when nothing runs or `out` is shorter), and its content in place, at a
 * multiple of 4 (models, functions; nobody writes there). Valid until the next boot. */
int32_t tmc_port_slot_header(int32_t kind, tmc_arr_u8 out);
tmc_arr_u8 tmc_port_slot_content(int32_t kind);

/* When the app wants its next tick: when tmc_port_clock_ms shows at_ms, neither before (unless something
 * happens) nor later than the port's clock can. Each call replaces the one before; a tick takes it back.
 * Without it the port ticks at its own pace. A port may tick more often, and must at least once a second. */
void tmc_port_wake_at(uint32_t at_ms);

/* Leaves the process / resets the board after pending output (node.control: restart). */
void tmc_port_restart(void);

/* ---- generated code implements -------------------------------------------------------------------- */

/* `tmc exec`: runs main() of the program. Traps unwind to the caller's boundary. */
void tmc_program_main(void);

/* Nodes [bus]. Each runs inside its own boundary and returns the trap it ended with, TMC_TRAP_NONE if none;
 * the app has already counted it. */
tmc_trap_kind tmc_app_start(void);        /* once, before anything else */
tmc_trap_kind tmc_app_connected(void);    /* a session with the broker exists: subscribe, publish birth */
tmc_trap_kind tmc_app_disconnected(void); /* it is gone; the port reconnects by itself */
tmc_trap_kind tmc_app_message(tmc_str topic, tmc_arr_u8 payload); /* both borrowed for the call */
tmc_trap_kind tmc_app_tick(uint32_t now_ms); /* at tmc_port_wake_at; else at least every 100 ms, every 10 ms
                                                while work is pending */

/* Models compiled into the image; generated even when there are none (count 0).
 * Tensors live in static memory; input and output may share it: read the output before writing the input. */
int32_t tmc_model_count(void);
tmc_arr_i8 tmc_model_input(int32_t model, int32_t tensor);
tmc_arr_i8 tmc_model_output(int32_t model, int32_t tensor);
void tmc_model_invoke(int32_t model);

#endif
