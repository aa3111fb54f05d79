/**
 * A platform for tests: clock, bus, sensors, storage and models in memory, under the test's control. Nothing moves by
 * itself: time passes with `advance`, messages arrive with `deliver`. It implements `tmc/port.h` by C name; the
 * functions of the language itself (text, traps) are the runtime's.
 */
import { packageCalls } from "../../compiler/model/package/calls.js";
import type { HostFunction, HostPlatform } from "./current-platform.js";
import { functionBindings, type SimulatedMachine } from "./simulated-functions.js";
import { SimulatedSensor, type SimulatedSensorOptions } from "./simulated-sensor.js";
import { slotBindings, type SimulatedSlots } from "./simulated-slots.js";

export interface Published {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  /** Simulated time. */
  readonly atMs: number;
}

/** A model: tensors, and what `tmc_model_invoke` does. `descriptor` is what setup's loadModel answers with. */
export interface SimulatedModel {
  readonly descriptor: SimulatedModelDescriptor;
  readonly input: Int8Array;
  readonly output: Int8Array;
  invoke(): void;
}

export interface SimulatedTensor {
  readonly type: string;
  readonly shape: number[];
  readonly elements: number;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly unit: string;
  readonly rate: number;
}

export interface SimulatedModelDescriptor {
  readonly index: number;
  readonly name: string;
  readonly version: string;
  readonly task: string;
  readonly digest: string;
  readonly input: SimulatedTensor;
  readonly output: SimulatedTensor;
  readonly labels: string[];
}

export interface SimulatedPlatformOptions {
  readonly nodeId?: string;
  readonly serverId?: string;
  readonly bootCounter?: number;
  readonly resetReason?: number;
  /** Bytes of stack that were never used; default -1, unknown. */
  readonly stackFree?: number;
  /** The last crash; default none. */
  readonly crash?: {
    readonly kind: number;
    readonly site: number;
    readonly boot: number;
    readonly work: string;
  };
  /** By name. */
  readonly sensors?: Readonly<Record<string, SimulatedSensorOptions>>;
  /** Channels by name. */
  readonly actuators?: Readonly<Record<string, number>>;
  /** `loadModel(path)` gives the one whose path ends with the key. */
  readonly models?: Readonly<Record<string, SimulatedModel>>;
  /** Kept over simulated restarts when the same map is given again. */
  readonly storage?: Map<string, Uint8Array>;
  /** What it keeps of the bus; kept over simulated restarts when the same ones are given again. Default: nothing. */
  readonly slots?: readonly SimulatedSlots[];
  /** What runs function images. Default: nothing, and none is accepted. */
  readonly machine?: SimulatedMachine;
  /** ms between ticks for an app that does not say when it wants one (`wakeAt`). Default 10. */
  readonly tickMs?: number;
}

/** A trap that ended a handler. */
export interface HandlerTrap {
  readonly entry: string;
  readonly kind: string;
  readonly site: number;
}

/** Ports tick at least so often. */
const longestWaitMs = 1000;

const trapKinds = ["none", "index", "null", "division", "overflow", "capacity", "throw", "stack", "assert"];

export class SimulatedPlatform implements HostPlatform {
  readonly bindings: Readonly<Record<string, HostFunction>>;
  readonly published: Published[] = [];
  readonly subscriptions = new Set<string>();
  readonly traps: HandlerTrap[] = [];
  readonly storage: Map<string, Uint8Array>;
  will: { readonly topic: string; readonly payload: Uint8Array; readonly retain: boolean } | undefined;
  connected = false;
  /** While true, publishing fails as if the port's buffers were full. */
  refusePublish = false;
  /** While true, storage cannot be written. */
  refuseStorage = false;
  /** While true, actuators cannot be set. */
  refuseActuators = false;
  /** What each actuator was last set to. */
  readonly actuated = new Map<string, readonly number[]>();
  restarts = 0;
  /** What the app said it was doing when it began to do it, without "nothing". */
  readonly works: string[] = [];
  nowMs = 0;
  /** Ticks since the start: how often an idle app is woken. */
  ticks = 0;
  private wakeMs: number | undefined;
  private wantsConnection = false;
  private randomState = 0x12345678;
  private readonly entries = new Map<string, HostFunction>();
  private readonly sensorNames: string[];
  private readonly actuatorNames: string[];
  private readonly sensors: SimulatedSensor[];
  private readonly models: SimulatedModel[];
  private readonly tickMs: number;

  constructor(private readonly options: SimulatedPlatformOptions) {
    this.storage = options.storage ?? new Map<string, Uint8Array>();
    this.tickMs = options.tickMs ?? 10;
    this.sensorNames = Object.keys(options.sensors ?? {});
    this.actuatorNames = Object.keys(options.actuators ?? {});
    this.sensors = Object.values(options.sensors ?? {}).map((s) => new SimulatedSensor(s));
    this.models = [];
    for (const model of Object.values(options.models ?? {})) this.models[model.descriptor.index] = model;
    this.bindings = {
      ...this.nodeBindings(),
      ...this.busBindings(),
      ...this.deviceBindings(),
      ...slotBindings(options.slots ?? []),
      ...packageCalls,
      ...functionBindings(options.machine),
    };
  }

  registerEntry(name: string, handler: HostFunction): void {
    this.entries.set(name, handler);
  }

  /** Boots: app_start, then a connection if the app asked for one. */
  start(): void {
    this.run("app_start");
    if (this.wantsConnection) this.connect();
  }

  connect(): void {
    if (this.connected) return;
    this.connected = true;
    this.run("app_connected");
  }

  /** The session ends; subscriptions are gone with it. */
  disconnect(): void {
    if (!this.connected) return;
    this.connected = false;
    this.subscriptions.clear();
    this.run("app_disconnected");
  }

  /** Lets simulated time pass, tick by tick: when the app wants one, and at the end. */
  advance(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs = Math.min(this.nowMs + this.untilTick(), end);
      this.wakeMs = undefined;
      this.ticks++;
      this.run("app_tick", this.nowMs >>> 0);
    }
  }

  /** ms to the next tick, as a port does it: the app's wish, at least 1 and at most a second. */
  private untilTick(): number {
    if (this.wakeMs === undefined) return this.tickMs;
    return Math.min(Math.max((this.wakeMs - this.nowMs) | 0, 1), longestWaitMs);
  }

  /** A message from the bus; false when the app has not subscribed to the topic. */
  deliver(topic: string, payload: Uint8Array): boolean {
    if (!this.connected || !this.subscriptions.has(topic)) return false;
    this.run("app_message", topic, payload.slice());
    return true;
  }

  /** Removes and returns what was published on topics that end so. */
  takePublished(suffix = ""): Published[] {
    const taken = this.published.filter((p) => p.topic.endsWith(suffix));
    const kept = this.published.filter((p) => !p.topic.endsWith(suffix));
    this.published.splice(0, this.published.length, ...kept);
    return taken;
  }

  /** Calls a handler as a port does: a trap ends it, is noted, and is told to the app. */
  private run(entry: string, ...args: unknown[]): void {
    const handler = this.entries.get(entry) as ((...values: unknown[]) => unknown) | undefined;
    if (handler === undefined) return;
    try {
      handler(...args);
    } catch (e) {
      if (!isTrap(e)) throw e;
      this.traps.push({ entry, kind: e.kind, site: e.site });
      if (entry !== "app_trap") this.run("app_trap", trapKinds.indexOf(e.kind), e.site);
    }
  }

  private nodeBindings(): Record<string, HostFunction> {
    return {
      tmc_port_clock_ms: () => this.nowMs >>> 0,
      tmc_port_clock_us: () => Math.floor(this.nowMs * 1000) >>> 0,
      tmc_port_random_u32: () => {
        this.randomState = (Math.imul(this.randomState, 1664525) + 1013904223) >>> 0;
        return this.randomState;
      },
      tmc_port_node_id: () => this.options.nodeId ?? "node-1",
      tmc_port_server_id: () => this.options.serverId ?? "server-1",
      tmc_port_boot_counter: () => this.options.bootCounter ?? 1,
      tmc_port_reset_reason: () => this.options.resetReason ?? 1,
      tmc_port_at_work: (what: string) => {
        if (what !== "") this.works.push(what);
      },
      tmc_port_stack_free: () => this.options.stackFree ?? -1,
      tmc_port_crash_kind: () => this.options.crash?.kind ?? 0,
      tmc_port_crash_site: () => this.options.crash?.site ?? 0,
      tmc_port_crash_boot: () => this.options.crash?.boot ?? 0,
      tmc_port_crash_work: () => this.options.crash?.work ?? "",
      tmc_port_wake_at: (atMs: number) => {
        this.wakeMs = atMs;
      },
      tmc_port_restart: () => {
        this.restarts++;
      },
      tmc_port_storage_read: (key: string, out: Uint8Array) => {
        const value = this.storage.get(key);
        if (value === undefined) return -1;
        out.set(value.subarray(0, out.length));
        return value.length;
      },
      tmc_port_storage_write: (key: string, value: Uint8Array) => {
        if (this.refuseStorage || !/^[a-z0-9./-]{1,32}$/.test(key)) return false;
        this.storage.set(key, value.slice());
        return true;
      },
    };
  }

  private busBindings(): Record<string, HostFunction> {
    return {
      tmc_port_bus_will: (topic: string, payload: Uint8Array, _qos: number, retain: boolean) => {
        this.will = { topic, payload: payload.slice(), retain };
        return true;
      },
      tmc_port_bus_connect: () => {
        this.wantsConnection = true;
        return true;
      },
      tmc_port_bus_connected: () => this.connected,
      tmc_port_bus_subscribe: (topic: string) => {
        if (!this.connected) return false;
        this.subscriptions.add(topic);
        return true;
      },
      tmc_port_bus_publish: (topic: string, payload: Uint8Array, qos: number, retain: boolean) => {
        if (!this.connected || this.refusePublish) return false;
        this.published.push({ topic, payload: payload.slice(), qos, retain, atMs: this.nowMs });
        return true;
      },
    };
  }

  private deviceBindings(): Record<string, HostFunction> {
    return {
      tmc_port_sensor_open: (name: string) => this.sensorNames.indexOf(name),
      tmc_port_sensor_channels: (sensor: number) => this.sensor(sensor).channels,
      tmc_port_sensor_start: (sensor: number, rate: number) => this.sensor(sensor).start(rate, this.nowMs),
      tmc_port_sensor_take: (sensor: number, out: Float32Array) => this.sensor(sensor).take(out, this.nowMs),
      tmc_port_sensor_lost: (sensor: number) => this.sensor(sensor).lost,
      tmc_port_sensor_most: (sensor: number) => this.sensor(sensor).most,
      tmc_port_sensor_stop: (sensor: number) => this.sensor(sensor).stop(),
      tmc_port_actuator_open: (name: string) => this.actuatorNames.indexOf(name),
      tmc_port_actuator_channels: (actuator: number) => this.actuatorChannels(actuator),
      tmc_port_actuator_write: (actuator: number, values: Float32Array) => {
        const name = this.actuatorNames[actuator];
        if (name === undefined || this.refuseActuators) return false;
        this.actuated.set(name, [...values]);
        return true;
      },
      tmc_model_input: (model: number) => this.model(model).input,
      tmc_model_output: (model: number) => this.model(model).output,
      tmc_model_invoke: (model: number) => this.model(model).invoke(),
      "setup:loadModel": (path: string) => {
        for (const [name, model] of Object.entries(this.options.models ?? {})) {
          if (path.endsWith(name)) return model.descriptor;
        }
        throw new Error(`the simulated platform has no model ${path}`);
      },
    };
  }

  /** Is this sensor sampling now? */
  isSampling(name: string): boolean {
    return this.sensors[this.sensorNames.indexOf(name)]?.running ?? false;
  }

  private actuatorChannels(index: number): number {
    return this.options.actuators?.[this.actuatorNames[index] ?? ""] ?? 0;
  }

  private sensor(index: number): SimulatedSensor {
    const sensor = this.sensors[index];
    if (sensor === undefined) throw new RangeError(`no sensor ${index}`);
    return sensor;
  }

  private model(index: number): SimulatedModel {
    const model = this.models[index];
    if (model === undefined) throw new RangeError(`no model ${index}`);
    return model;
  }
}

/** What the runtime throws for a trap, whatever its class. */
function isTrap(e: unknown): e is { readonly kind: string; readonly site: number } {
  return typeof e === "object" && e !== null && "kind" in e && "site" in e;
}

/** Model-free, sensor-free, or as the options say. Make it current with `usePlatform`. */
export function createSimulatedPlatform(options: SimulatedPlatformOptions = {}): SimulatedPlatform {
  return new SimulatedPlatform(options);
}
