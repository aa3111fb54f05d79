/**
 * Load for the scale-out test: one node that takes 30 ms for a request and remembers what it answered, as minimal nodes do,
 * and one that asks. A request without terminal answer is repeated under its identity, as the protocol wants it.
 */
import { MqttConnection } from "../../host/bus/mqtt-connection.js";
import { pause } from "../conformance/probe.js";
import { encodeCbor, map, readMap, requestMap, type CborMap } from "../conformance/wire.js";

export interface LoadOptions {
  /** Servers of one broker; a client whose server dies goes on at the next. */
  readonly urls: readonly string[];
  readonly requests: number;
  readonly everyMs: number;
  /** A request without an answer is sent again after so long; default 2 s. */
  readonly againMs?: number;
  /** Boot counter of both clients, so that one load is not the repetition of another; default 1. */
  readonly boot?: number;
  /** What happens when so many were sent. */
  readonly at: ReadonlyMap<number, () => unknown>;
}

export interface LoadResult {
  readonly sent: number;
  /** Requests with a terminal answer. */
  readonly answered: number;
  /** Of them with an error. */
  readonly failed: number;
  /** Codes of these errors. */
  readonly errors: readonly number[];
  /** Requests with two terminal answers that differ. */
  readonly different: number;
  /** Requests with the same terminal answer more than once. */
  readonly repeated: number;
  /** Requests that the node executed, and those of them that it executed more than once. */
  readonly executed: number;
  readonly executedAgain: number;
  /** Dispatches that the node recognised as repetitions. */
  readonly dispatchedAgain: number;
  readonly resent: number;
  /** Longest time to a terminal answer, ms. */
  readonly longestMs: number;
  /** Terminal answers in each second since the first request. */
  readonly bySecond: readonly number[];
}

const server = "edge";
const deadlineMs = 30_000;
/** How long answers are waited for after the last request. */
const patienceMs = 90_000;
const workMs = 30;

const open = (urls: readonly string[], clientId: string, will?: Uint8Array): MqttConnection =>
  MqttConnection.open({
    url: urls[0] ?? "",
    alternatives: urls.slice(1),
    clientId,
    // A cluster that has just begun has no leader yet, and takes long to say so.
    connectTimeoutMs: 5_000,
    backoffMs: [200, 1_000],
    ...(will === undefined
      ? {}
      : { will: { topic: `t1/${server}/${clientId}/s`, payload: will, retain: true } }),
  });

interface Machine {
  readonly executions: ReadonlyMap<string, number>;
  recognised: number;
  close(): Promise<void>;
}

/** A minimal node with one sensor. */
async function startMachine(urls: readonly string[], boot: number): Promise<Machine> {
  const id = "machine";
  const state = (online: boolean): Uint8Array => encodeCbor(map({ 0: 1, 1: id, 2: boot, 3: online }));
  const bus = open(urls, id, state(false));
  const topic = (kind: string): string => `t1/${server}/${id}/${kind}`;
  const birth = map({
    0: 1,
    1: id,
    2: boot,
    3: 0,
    4: "load",
    5: "1.0.0",
    6: 1024,
    7: 8,
    8: ["data.collect"],
    9: [map({ 0: "s", 1: 1, 3: 10, 4: 100 })],
  });
  const executions = new Map<string, number>();
  /** Terminal answers; undefined: it runs. */
  const known = new Map<string, Uint8Array | undefined>();
  const machine = { executions, recognised: 0, close: () => bus.close() };
  const send = (kind: string, payload: Uint8Array, retain = false): void => {
    bus.publish(topic(kind), payload, { retain }).catch(() => undefined);
  };
  const answer = (request: CborMap, entries: Record<number, unknown>): Uint8Array =>
    encodeCbor(map({ 0: 1, 1: request.get(1), 2: request.get(2), 3: request.get(3), 5: id, ...entries }));
  bus.onMessage((_topic, payload) => {
    const request = readMap(payload);
    if (request === undefined) return;
    const key = [3, 2, 1].map((each) => String(request.get(each))).join("/");
    if (known.has(key)) {
      machine.recognised++;
      send("y", known.get(key) ?? answer(request, { 4: 1 }));
      return;
    }
    known.set(key, undefined);
    // A server may ask of itself whether the node lives: that is none of the requests whose executions are counted.
    if (request.get(3) !== server) executions.set(key, (executions.get(key) ?? 0) + 1);
    send("y", answer(request, { 4: 1 }));
    setTimeout(() => {
      const done = answer(request, { 4: 2, 7: map({ 0: 1, 1: 0 }), 10: 0, 11: workMs * 1000 });
      known.set(key, done);
      send("y", done);
    }, workMs);
  });
  bus.onConnectionChange((connected) => {
    if (!connected) return;
    send("b", encodeCbor(birth), true);
    send("s", state(true), true);
  });
  await bus.subscribe([topic("x")]);
  await bus.ready(60_000);
  return machine;
}

interface Terminal {
  readonly bytes: string;
  readonly error: number | undefined;
  readonly ms: number;
  count: number;
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { urls, requests, everyMs, at, againMs = 2_000, boot = 1 } = options;
  const machine = await startMachine(urls, boot);
  const asker = open(urls, "asker");
  await asker.subscribe([`t1/${server}/asker/r`]);
  await asker.ready(60_000);
  const sentAt = new Map<number, number>();
  const terminal = new Map<number, Terminal>();
  const bySecond: number[] = [];
  let different = 0;
  let resent = 0;
  asker.onMessage((_topic, payload) => {
    const answer = readMap(payload);
    if (answer?.get(4) !== 2) return;
    const id = Number(answer.get(1));
    const bytes = Buffer.from(payload).toString("hex");
    const known = terminal.get(id);
    if (known === undefined) {
      const now = performance.now();
      const ms = now - (sentAt.get(id) ?? 0);
      const second = Math.floor((now - (sentAt.get(1) ?? now)) / 1000);
      while (bySecond.length <= second) bySecond.push(0);
      bySecond[second] = (bySecond[second] ?? 0) + 1;
      const error = answer.has(6) ? Number((answer.get(6) as CborMap).get(0)) : undefined;
      terminal.set(id, { bytes, count: 1, error, ms });
    } else {
      known.count++;
      if (known.bytes !== bytes) different++;
    }
  });
  const lastSent = new Map<number, number>();
  const send = (id: number): void => {
    lastSent.set(id, performance.now());
    const fields = { operation: "data.collect", arguments: map({ 0: "s", 1: 1, 2: 10 }), deadlineMs };
    const payload = encodeCbor(requestMap({ id, boot, ...fields }));
    asker.publish(`t1/${server}/q/asker`, payload).catch(() => undefined);
  };
  const again = setInterval(() => {
    const before = performance.now() - againMs;
    // What is not acknowledged is sent again by the connection itself.
    if (!asker.connected) return;
    for (const [id, ms] of lastSent) {
      if (terminal.has(id) || ms > before) continue;
      resent++;
      send(id);
    }
  }, againMs / 2);
  const events: Promise<unknown>[] = [];
  for (let id = 1; id <= requests; id++) {
    sentAt.set(id, performance.now());
    send(id);
    const event = at.get(id);
    if (event !== undefined) events.push(Promise.resolve(event()));
    await pause(everyMs);
  }
  for (const end = performance.now() + patienceMs; terminal.size < requests && performance.now() < end;) {
    await pause(50);
  }
  clearInterval(again);
  await Promise.all(events);
  // Further answers, if somebody makes them.
  await pause(700);
  const all = [...terminal.values()];
  const errors = all.flatMap(({ error }) => error ?? []);
  await Promise.all([machine.close(), asker.close()]);
  return {
    sent: requests,
    answered: terminal.size,
    failed: errors.length,
    errors,
    different,
    repeated: all.filter(({ count }) => count > 1).length,
    executed: machine.executions.size,
    executedAgain: [...machine.executions.values()].filter((count) => count > 1).length,
    dispatchedAgain: machine.recognised,
    resent,
    longestMs: Math.round(Math.max(0, ...all.map(({ ms }) => ms))),
    bySecond,
  };
}
