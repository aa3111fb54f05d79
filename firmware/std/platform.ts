/**
 * What the board gives to the program: clock, random numbers, bus, sensors, storage, and the entries that it calls.
 * One declaration here is one C function of `tmc/port.h` and one function of the host's simulated platform.
 * No policy: reconnecting, counting and retrying are the core's or the port's.
 */

/** Milliseconds since boot; wraps after 49.7 days. @binding tmc_port_clock_ms */
export declare function clockMs(): u32;
/** Microseconds since boot; wraps after 71.6 minutes. @binding tmc_port_clock_us */
export declare function clockUs(): u32;
/** 32 random bits, not for keys. @binding tmc_port_random_u32 */
export declare function randomU32(): u32;

/** 1 to 23 characters of [0-9a-z-]. @binding tmc_port_node_id */
export declare function nodeId(): string;
/** The server this node belongs to; as `nodeId`. @binding tmc_port_server_id */
export declare function serverId(): string;
/** Counts boots; kept over restarts. @binding tmc_port_boot_counter */
export declare function bootCounter(): u32;
/** 0 unknown, 1 power-on, 2 pin, 3 software, 4 watchdog, 5 brown-out, 6 trap. @binding tmc_port_reset_reason */
export declare function resetReason(): i32;

/** What runs from now on ("" = nothing): should the watchdog bite, the next boot knows. @binding tmc_port_at_work */
export declare function atWork(what: string): void;
/** Bytes of the app's stack that were never used since boot; -1 = unknown. @binding tmc_port_stack_free */
export declare function stackFree(): i32;
/**
 * The last crash of any boot: 0 none, else a trap that nobody caught (its number as in `tmc_trap_kind`), 16 the
 * watchdog, 17 a fault of the processor. @binding tmc_port_crash_kind
 */
export declare function crashKind(): i32;
/** Its trap site, or the address of the fault; 0 unknown. @binding tmc_port_crash_site */
export declare function crashSite(): u32;
/** The boot that it ended. @binding tmc_port_crash_boot */
export declare function crashBoot(): u32;
/** What ran then; borrowed. @binding tmc_port_crash_work */
export declare function crashWork(): string;

/** The last will of the next connection; copied. @binding tmc_port_bus_will */
export declare function busWill(topic: string, payload: Uint8Array, qos: i32, retain: boolean): boolean;
/** Connects and stays connected, in the background. @binding tmc_port_bus_connect */
export declare function busConnect(): boolean;
/** False when not connected, too large or no room; the payload is copied. @binding tmc_port_bus_publish */
export declare function busPublish(topic: string, payload: Uint8Array, qos: i32, retain: boolean): boolean;
/** @binding tmc_port_bus_subscribe */
export declare function busSubscribe(topic: string, qos: i32): boolean;
/** @binding tmc_port_bus_connected */
export declare function busConnected(): boolean;

/** A handle, or -1 when this board has no sensor of that name. @binding tmc_port_sensor_open */
export declare function sensorOpen(name: string): i32;
/** @binding tmc_port_sensor_channels */
export declare function sensorChannels(sensor: i32): i32;
/** Starts sampling in the background; false when the rate is not possible. @binding tmc_port_sensor_start */
export declare function sensorStart(sensor: i32, rateMilliHz: i32): boolean;
/** Moves whole frames, oldest first, channels interleaved; gives how many frames. @binding tmc_port_sensor_take */
export declare function sensorTake(sensor: i32, out: Float32Array): i32;
/** Frames that found the port's ring full since the start. @binding tmc_port_sensor_lost */
export declare function sensorLost(sensor: i32): u32;
/** The most frames that waited in the port's ring at once, since boot. @binding tmc_port_sensor_most */
export declare function sensorMost(sensor: i32): i32;
/** @binding tmc_port_sensor_stop */
export declare function sensorStop(sensor: i32): void;

/** A handle, or -1 when this board has no actuator of that name. @binding tmc_port_actuator_open */
export declare function actuatorOpen(name: string): i32;
/** @binding tmc_port_actuator_channels */
export declare function actuatorChannels(actuator: i32): i32;
/** Sets all channels; false when that is not possible. @binding tmc_port_actuator_write */
export declare function actuatorWrite(actuator: i32, values: Float32Array): boolean;

/** The size of the value, of which as much as fits is copied; -1 when absent. @binding tmc_port_storage_read */
export declare function storageRead(key: string, out: Uint8Array): i32;
/** @binding tmc_port_storage_write */
export declare function storageWrite(key: string, value: Uint8Array): boolean;

/** Bytes of content that a version in a slot of this kind may have (`SlotKind`). @binding tmc_port_slot_room */
export declare function slotRoom(kind: i32): i32;
/**
 * Decides what runs: a `SlotState`. At every start, before the others, and again after try, reject and remove.
 * @binding tmc_port_slot_boot
 */
export declare function slotBoot(kind: i32): i32;
/**
 * Checks a header (192 bytes) and its signature, then makes room: where to go on in the content, or minus a `SlotError`.
 * @binding tmc_port_slot_begin
 */
export declare function slotBegin(kind: i32, header: Uint8Array): i32;
/** The next bytes of the content. 0, or minus a `SlotError`, as all that follow. @binding tmc_port_slot_write */
export declare function slotWrite(kind: i32, offset: i32, bytes: Uint8Array): i32;
/** All came: compares the digest. @binding tmc_port_slot_finish */
export declare function slotFinish(kind: i32): i32;
/** What is complete runs from the next `slotBoot` on, on trial. @binding tmc_port_slot_try */
export declare function slotTry(kind: i32): i32;
/** What is on trial stays. @binding tmc_port_slot_confirm */
export declare function slotConfirm(kind: i32): i32;
/** What is on trial does not run again. @binding tmc_port_slot_reject */
export declare function slotReject(kind: i32): i32;
/** What was confirmed does not run again. @binding tmc_port_slot_remove */
export declare function slotRemove(kind: i32): i32;
/** The header of what runs: 192 bytes, or 0 when nothing does. @binding tmc_port_slot_header */
export declare function slotHeader(kind: i32, out: Uint8Array): i32;
/** The content of what runs, in place: only to be read; valid until the next `slotBoot`. @binding tmc_port_slot_content */
export declare function slotContent(kind: i32): Uint8Array;

/**
 * When the next tick is wanted: as soon as `clockMs()` shows `atMs`, without a message not before. Said anew in every
 * tick, else the port ticks at its own pace. Ports tick at least once a second. @binding tmc_port_wake_at
 */
export declare function wakeAt(atMs: u32): void;

/** Restarts after pending output. @binding tmc_port_restart */
export declare function restart(): void;

/** Ends the running handler with a trap of kind `capacity`. @binding tmc_trap_capacity */
export declare function trapCapacity(): void;

/** Called once, before everything else. @setup */
export function onStart(handler: () => void): void {
  entry("app_start", handler);
}
/** Called when a session with the broker exists. @setup */
export function onConnected(handler: () => void): void {
  entry("app_connected", handler);
}
/** Called when that session is gone; the port reconnects by itself. @setup */
export function onDisconnected(handler: () => void): void {
  entry("app_disconnected", handler);
}
/** Called for each message of a subscribed topic. Both arguments are borrowed for the call. @setup */
export function onMessage(handler: (topic: string, payload: Uint8Array) => void): void {
  entry("app_message", handler);
}
/** Called when `wakeAt` said; without it at least every 100 ms, every 10 ms while work is pending. @setup */
export function onTick(handler: (nowMs: u32) => void): void {
  entry("app_tick", handler);
}
/** Called after a trap ended one of the other handlers. `kind` is the number of `tmc_trap_kind`. @setup */
export function onTrap(handler: (kind: i32, site: i32) => void): void {
  entry("app_trap", handler);
}
