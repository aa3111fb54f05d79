/**
 * The minimal node: what it offers, its records on the bus, and the life that the platform drives. It knows no
 * operation; `functions/minimal-node.ts` adds the ones every node has.
 */
import type { CborWriter } from "../std/cbor-writer.js";
import {
  atWork,
  bootCounter,
  busConnect,
  clockMs,
  nodeId,
  onConnected,
  onDisconnected,
  onMessage,
  onStart,
  onTick,
  onTrap,
  resetReason,
  wakeAt,
} from "../std/platform.js";
import { hasTasks, runTasks, tasksDueIn, taskTraps } from "../std/task.js";
import type { Actuator } from "./actuator.js";
import type { AnyModel } from "./any-model.js";
import { Capability } from "./capability.js";
import { Counter, Counters } from "./counters.js";
import { Dispatcher } from "./dispatcher.js";
import { Health } from "./health.js";
import { Drifts } from "./drifts.js";
import { Link } from "./link.js";
import type { OfferedFunction } from "./offered-function.js";
import type { Operation } from "./operation.js";
import { NodeFlag, maxMessage, protocolVersion } from "./protocol.js";
import { RemoteRequests, type RemoteRequest } from "./remote-request.js";
import { Selection } from "./selection.js";
import type { Sensor } from "./sensor.js";
import type { Setting } from "./setting.js";
import { IntSetting, Settings } from "./setting.js";
import { Transfer } from "./transfer.js";

export interface NodeOptions {
  /** Of the software: [a-z0-9._-], at most 32 characters. */
  readonly name: string;
  readonly version: string;
  readonly sensors: Sensor[];
  /** Of the image, and slots for models that come over the bus. */
  readonly models: AnyModel[];
  /** What functions of the node set; told in the birth record. */
  readonly actuators?: Actuator[];
  /** Those of its FunctionInvoke: of the image, and a slot for one that comes over the bus. */
  readonly functions?: OfferedFunction[];
  readonly settings: Setting[];
  /** Words that requests can select by: "hall-3", "pump". */
  readonly labels: string[];
  /** Background requests kept, running one included, before the node is busy. */
  readonly jobs: i32;
  /**
   * Bytes of the largest request it takes and the largest answer it makes, 512 to 16384, 1024 when not given. The request, the answer
   * and each of `jobs` take so much RAM.
   */
  readonly message?: i32;
  /** Bytes of answers kept for repeated requests and until they could be sent; `message` or more, 4096 when not given. */
  readonly answers?: i32;
}

/** What `NodeOptions.answers` is when it is not given. */
const defaultAnswers = 4096;
const defaultDeadlineMs = 10000;
/** ms between ticks while a request is being worked on. */
const busyTickMs = 10;

export class Node {
  readonly settings: Settings;
  readonly counters: Counters = new Counters();
  private readonly link: Link;
  /** Requests this node makes; null when it makes none. */
  private remote: RemoteRequests | null = null;
  /** Bytes of the largest message. */
  private readonly message: i32;
  private readonly dispatcher: Dispatcher;
  private readonly health: Health;
  private readonly drifts: Drifts;
  /** Seconds between drift events; 0 = none. Changing the epoch starts the summaries anew. */
  private readonly driftInterval: IntSetting = new IntSetting("drift.interval", 3600, 0, 604800);
  private readonly driftEpoch: IntSetting = new IntSetting("drift.epoch", 0, 0, 0x7fffffff);
  private driftAt: u32 = 0;
  private readonly operations: Operation[] = [];
  private readonly sensors: RomArray<Sensor>;
  /** Seconds between telemetry events; 0 = none. */
  private readonly telemetryInterval: IntSetting = new IntSetting("telemetry.interval", 60, 0, 86400);
  /** Null until `serve`. */
  private capability: Capability | null = null;
  /** Pulls what is larger than a message; null when no operation needs it. */
  private chunks: Transfer | null = null;
  /** What the node offers is another since the birth record was published. */
  private isChanged: boolean = false;
  private flags: i32 = 0;
  private connections: u32 = 0;
  private connected: boolean = false;
  private uptime: u32 = 0;
  private uptimeAtMs: u32 = 0;
  private telemetryAt: u32 = 0;
  private events: u32 = 0;
  /** Traps of tasks that are counted. */
  private taskTraps: u32 = 0;

  constructor(private readonly options: NodeOptions) {
    this.sensors = options.sensors;
    this.drifts = new Drifts(options.models);
    const own: Setting[] = [this.telemetryInterval];
    if (this.drifts.any()) own.push(this.driftInterval, this.driftEpoch);
    this.settings = new Settings(options.settings.concat(own));
    this.link = new Link(this.counters);
    const message = options.message ?? maxMessage;
    const answers = options.answers ?? defaultAnswers;
    if (message < 512 || message > 16384) throw new Error("message: 512 to 16384 bytes");
    if (answers < message) throw new Error("answers: at least as many bytes as message");
    this.message = message;
    this.dispatcher = new Dispatcher(
      this.operations,
      new Selection(options.labels),
      this.counters,
      this.link,
      options.jobs,
      defaultDeadlineMs,
      message,
      answers,
    );
    this.health = new Health(this.dispatcher, this.counters, options.sensors);
  }

  /** Adds an operation. @setup */
  offer(operation: Operation): void {
    this.operations.push(operation);
  }

  /**
   * A request that tasks of this node may make, one at a time, with up to `argumentBytes` of arguments. Before `serve`.
   * @setup
   */
  request(argumentBytes: i32 = 128): RemoteRequest {
    const remote = this.remote ?? new RemoteRequests(this.message);
    this.remote = remote;
    return remote.make(argumentBytes);
  }

  /** What operations pull updates with: it listens on topic `c`. Before `serve`. @setup */
  transfer(): Transfer {
    const chunks = this.chunks ?? new Transfer(this.link, this.dispatcher.request.reader, this.message);
    this.chunks = chunks;
    return chunks;
  }

  /** What the node offers has changed: the birth record is published again. Only nodes that take updates. */
  announce(): void {
    this.isChanged = true;
  }

  /** Answers to its own requests that came too late or were malformed. */
  get droppedAnswers(): u32 {
    return this.remote === null ? 0 : this.remote.dropped;
  }

  /** Encodes the capability record and takes over the platform's entries: the last act of setup. @setup */
  serve(): void {
    this.capability = new Capability(this.options, this.operations, this.message);
    onStart(() => this.start());
    onConnected(() => this.onConnected());
    onDisconnected(() => {
      this.connected = false;
    });
    if (hasTasks()) {
      onMessage((topic: string, payload: Uint8Array) => {
        this.receive(topic, payload);
        this.runTasks(clockMs());
      });
      onTick((nowMs: u32) => {
        this.tick(nowMs);
        this.runTasks(nowMs);
      });
    } else {
      onMessage((topic: string, payload: Uint8Array) => {
        this.receive(topic, payload);
        this.planTick(clockMs());
      });
      onTick((nowMs: u32) => {
        this.tick(nowMs);
        this.planTick(nowMs);
      });
    }
    onTrap((kind: i32, site: i32) => this.counters.countTrap(kind, site >>> 0));
  }

  /** The birth record. */
  writeBirth(writer: CborWriter): void {
    const capability = this.capability;
    if (capability === null) return;
    this.beginRecord(writer, 3 + capability.pairs());
    capability.write(writer);
  }

  /** The monitor-result of the protocol. */
  writeStatus(writer: CborWriter): void {
    this.beginStatus(writer, this.drifts.any() ? 1 : 0);
    if (this.drifts.any()) {
      writer.writeInt(11);
      this.drifts.write(writer);
    }
  }

  /** The status but for the drift of models, which `more` pairs tell. */
  private beginStatus(writer: CborWriter, more: i32): void {
    writer.beginMap(6 + this.health.pairs() + more);
    writer.writeInt(0);
    writer.writeUint(this.uptime);
    writer.writeInt(1);
    writer.writeUint(bootCounter());
    writer.writeInt(2);
    writer.writeInt(resetReason());
    writer.writeInt(3);
    writer.writeInt(this.statusFlags());
    writer.writeInt(4);
    this.counters.write(writer);
    writer.writeInt(5);
    writer.writeInt(this.dispatcher.pending());
    this.health.write(writer);
  }

  private start(): void {
    const reader = this.dispatcher.request.reader;
    if (!this.settings.restore(reader, this.scratch())) this.flags = this.flags | NodeFlag.SettingsUnreadable;
    for (const sensor of this.sensors) {
      if (!sensor.open()) this.flags = this.flags | NodeFlag.SensorMissing;
    }
    this.flags = this.flags | this.health.flags();
    for (const model of this.options.models) model.open();
    const functions = this.options.functions ?? null;
    if (functions !== null) {
      for (const one of functions) one.open();
    }
    this.drifts.begin(this.driftEpoch.value);
    const actuators = this.options.actuators ?? null;
    if (actuators !== null) {
      for (const actuator of actuators) {
        if (!actuator.open()) this.flags = this.flags | NodeFlag.SensorMissing;
      }
    }
    const writer = this.scratch();
    this.beginState(writer, 4, false);
    this.link.setWill("s", writer.written());
    busConnect();
  }

  private onConnected(): void {
    this.connected = true;
    if (this.connections > 0) this.counters.count(Counter.Reconnects);
    this.connections = (this.connections + 1) >>> 0;
    this.link.subscribe("x");
    if (this.remote !== null) this.remote.subscribe(this.link);
    if (this.chunks !== null) this.link.subscribe("c");
    this.publishBirth();
    const writer = this.scratch();
    this.writeState(writer);
    this.link.publishOnce("s", writer.written(), true);
    this.dispatcher.flush();
    if (this.chunks !== null) this.chunks.onConnected();
  }

  private publishBirth(): void {
    this.isChanged = false;
    const writer = this.scratch();
    this.writeBirth(writer);
    this.link.publishOnce("b", writer.written(), true);
  }

  private tick(nowMs: u32): void {
    const elapsed = Math.trunc(((nowMs - this.uptimeAtMs) >>> 0) / 1000);
    this.uptime = (this.uptime + elapsed) >>> 0;
    this.uptimeAtMs = (this.uptimeAtMs + elapsed * 1000) >>> 0;
    this.dispatcher.tick(nowMs);
    this.drifts.begin(this.driftEpoch.value);
    if (this.chunks !== null) this.chunks.tick(nowMs);
    if (!this.connected) return;
    this.dispatcher.flush();
    if (this.chunks !== null && this.isChanged) this.publishBirth();
    const interval = u32(this.telemetryInterval.value);
    if (interval > 0 && (this.uptime - this.telemetryAt) >>> 0 >= interval) {
      this.telemetryAt = this.uptime;
      this.publishTelemetry();
    }
    const driftInterval = u32(this.driftInterval.value);
    const isDue = driftInterval > 0 && (this.uptime - this.driftAt) >>> 0 >= driftInterval;
    if (isDue && this.drifts.any()) {
      this.driftAt = this.uptime;
      this.publishDrift();
    }
  }

  /** A message: on one of the node's own topics, or nobody's. */
  private receive(topic: string, payload: Uint8Array): void {
    const remote = this.remote;
    const chunks = this.chunks;
    if (this.link.isOwn(topic, "x")) this.dispatcher.receive(payload);
    else if (remote !== null && this.link.isOwn(topic, "r")) remote.receive(payload);
    else if (chunks !== null && this.link.isOwn(topic, "c")) chunks.receive(payload);
  }

  /** A task that a trap ended is counted as a handler would be. */
  private runTasks(nowMs: u32): void {
    atWork("tasks");
    runTasks(nowMs);
    atWork("");
    while (this.taskTraps !== taskTraps()) {
      this.taskTraps = (this.taskTraps + 1) >>> 0;
      this.counters.count(Counter.Traps);
    }
    this.wake(nowMs, tasksDueIn(nowMs));
  }

  /** For a node without tasks. */
  private planTick(nowMs: u32): void {
    this.wake(nowMs, -1);
  }

  /** The next tick: soon while work is pending, else with the next second of uptime; `dueMs`: of tasks, -1 = none. */
  private wake(nowMs: u32, dueMs: i32): void {
    const isBusy = this.dispatcher.pending() > 0 || (this.connected && this.dispatcher.hasUnsent());
    let wait = isBusy ? busyTickMs : 1000 - i32(Math.min((nowMs - this.uptimeAtMs) >>> 0, 999));
    // Never 0: a task that only gives way (`sleep(0)`) must not keep the processor from sleeping.
    if (dueMs >= 0) wait = Math.min(wait, Math.max(dueMs, 1));
    wakeAt((nowMs + u32(wait)) >>> 0);
  }

  private publishTelemetry(): void {
    const writer = this.beginEvent("telemetry");
    this.beginStatus(writer, 0);
    this.link.publishOnce("e", writer.written(), false);
  }

  private publishDrift(): void {
    const writer = this.beginEvent("drift");
    this.drifts.write(writer);
    this.link.publishOnce("e", writer.written(), false);
  }

  /** An event's record up to its value, which the caller writes. */
  private beginEvent(name: string): CborWriter {
    const writer = this.scratch();
    this.beginRecord(writer, 6);
    writer.writeInt(3);
    writer.writeUint(this.events);
    writer.writeInt(4);
    writer.writeText(name);
    writer.writeInt(5);
    this.events = (this.events + 1) >>> 0;
    return writer;
  }

  private writeState(writer: CborWriter): void {
    this.beginState(writer, 8, true);
    writer.writeInt(4);
    writer.writeInt(resetReason());
    writer.writeInt(5);
    writer.writeUint(this.uptime);
    writer.writeInt(6);
    writer.writeInt(this.statusFlags());
    writer.writeInt(7);
    this.counters.write(writer);
  }

  /** Keys 0 to 3 of a state. */
  private beginState(writer: CborWriter, pairs: i32, online: boolean): void {
    this.beginRecord(writer, pairs);
    writer.writeInt(3);
    writer.writeBool(online);
  }

  /** Keys 0 to 2 of every record. */
  private beginRecord(writer: CborWriter, pairs: i32): void {
    writer.beginMap(pairs);
    writer.writeInt(0);
    writer.writeInt(protocolVersion);
    writer.writeInt(1);
    writer.writeText(nodeId());
    writer.writeInt(2);
    writer.writeUint(bootCounter());
  }

  private statusFlags(): i32 {
    return this.counters.get(Counter.Traps) > 0 ? this.flags | NodeFlag.Trapped : this.flags;
  }

  /** The answer's writer: free between answers. */
  private scratch(): CborWriter {
    const writer = this.dispatcher.answer.writer;
    writer.clear();
    return writer;
  }
}
