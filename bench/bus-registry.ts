/** The registry part of `bench:bus`: what routing one request costs with so many nodes, and what a node costs in memory. */
import { Writable } from "node:stream";
import type { BusConnection, MessageHandler } from "../host/bus/connection.js";
import { toMap } from "../host/bus/keyed-maps.js";
import { encodeCbor } from "../host/bus/protocol.js";
import { birthKeys, stateKeys } from "../host/bus/protocol-keys.js";
import { encodeAnswer, encodeServerRequest } from "../host/bus/request-codec.js";
import { createCoreService, type RunningCoreService } from "../host/node/core/service.js";
import { createLog } from "../host/node/log.js";

export interface RegistryFigures {
  readonly nodes: number;
  /** Median µs from a request's arrival to its dispatch, and for its answer to be passed on. */
  readonly routeUs: number;
  readonly bytesPerNode: number;
}

const tensor = new Map<number, unknown>([
  [0, 0],
  [1, [128, 3]],
  [5, 0.0625],
  [6, 0],
]);

interface World {
  readonly bus: Sink;
  readonly core: RunningCoreService;
}

async function start(): Promise<World> {
  const bus = new Sink();
  const core = createCoreService({ id: "edge", boot: 1, connection: bus, log, messageBytes: 4096 });
  await core.start();
  return { bus, core };
}

function join(bus: Sink, index: number): void {
  const node = `node-${String(index).padStart(5, "0")}`;
  const birth = {
    ...{ version: 1, node, boot: index, kind: 0, software: "tmc", softwareVersion: "0.1.0", maxMsg: 1024 },
    queue: 4,
    operations: ["node.describe", "node.monitor", "node.configure", "data.collect", "model.infer"],
    sensors: [{ name: "accelerometer", channels: 3, unit: "g", rate: 100 }],
    models: [{ name: "vibration", version: "1.0.0", task: "anomaly", inputs: [tensor], outputs: [tensor] }],
    labels: [`energy:${index % 4}`, `room:${index % 100}`],
  };
  bus.handler(`t1/edge/${node}/b`, encodeCbor(toMap(birthKeys, birth)));
  const state = {
    version: 1,
    node,
    boot: index,
    online: true,
    uptimeS: index,
    errorFlags: 0,
    resetReason: 1,
  };
  bus.handler(`t1/edge/${node}/s`, encodeCbor(toMap(stateKeys, state)));
}

/** A bus that keeps nothing but the topic of what was dispatched last. */
class Sink implements BusConnection {
  readonly connected = true;
  dispatched = "";
  handler: MessageHandler = () => {};
  publish(topic: string): Promise<void> {
    if (topic.endsWith("/x")) this.dispatched = topic;
    return done;
  }
  subscribe(): Promise<void> {
    return done;
  }
  unsubscribe(): Promise<void> {
    return done;
  }
  onMessage(handler: MessageHandler): void {
    this.handler = handler;
  }
  onConnectionChange(): void {}
  close(): Promise<void> {
    return done;
  }
}
const done = Promise.resolve();

const log = createLog("error", new Writable({ write: (_chunk, _encoding, written) => written() })).log;

/** Needs --expose-gc for the memory. */
export async function measureRegistry(nodes: number): Promise<RegistryFigures> {
  // What the engine compiles and keeps for the first ones is nobody's.
  if (!warm) await measure(2000, 2000);
  warm = true;
  return measure(nodes, 2000);
}

let warm = false;

async function measure(nodes: number, requests: number): Promise<RegistryFigures> {
  // Few nodes are less than the noise of the heap: then in several registries.
  const worlds = await Promise.all(Array.from({ length: Math.max(1, Math.ceil(2000 / nodes)) }, start));
  // The first one brings what all share.
  for (const { bus } of worlds) join(bus, 0);
  const before = memory();
  for (const { bus } of worlds) for (let i = 1; i < nodes; i++) join(bus, i);
  const bytesPerNode = (memory() - before) / (worlds.length * (nodes - 1));
  for (const { core } of worlds.slice(1)) await core.stop();
  const [{ bus, core }] = worlds as [World];
  let id = 0;
  const input = new Uint8Array(384);
  const route = (): void => {
    const request = { id: ++id, boot: 1, sender: "asker", operation: "model.infer", input, deadlineMs: 5000 };
    const descriptor = { elementType: 0, shape: [128, 3], scale: 0.0625, zeroPoint: 0 };
    const payload = encodeServerRequest({ ...request, inputDescriptor: descriptor });
    const started = process.hrtime.bigint();
    bus.handler("t1/edge/q/asker", payload);
    const sent = process.hrtime.bigint();
    const node = bus.dispatched.split("/")[2] ?? "";
    const answer = encodeAnswer({ id, boot: 1, sender: "asker", stage: 2, node, queueUs: 1, executionUs: 2 });
    const back = process.hrtime.bigint();
    bus.handler(`t1/edge/${node}/y`, answer);
    times.push(Number(sent - started + (process.hrtime.bigint() - back)) / 1000);
  };
  let times: number[] = [];
  for (let i = 0; i < 2000; i++) route();
  times = [];
  for (let i = 0; i < requests; i++) route();
  if (core.pending() !== 0) throw new Error("requests were not answered");
  await core.stop();
  times.sort((a, b) => a - b);
  return { nodes, routeUs: times[times.length >> 1] ?? 0, bytesPerNode: Math.round(bytesPerNode) };
}

function memory(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("run it with --expose-gc");
  for (let i = 0; i < 3; i++) gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
