/**
 * Load for the scale-out test: one node that takes 30 ms for a request and remembers what it answered, as minimal nodes do,
 * and one that asks. A request without terminal answer is repeated under its identity, as QoS 1 asks of clients.
 */
import { playNode } from "../conformance/played-node.js";
import { Wire, pause } from "../conformance/probe.js";
import { encodeCbor, map, readMap, requestMap, type CborMap } from "../conformance/wire.js";

export interface LoadOptions {
  readonly url: string;
  readonly requests: number;
  readonly everyMs: number;
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
  /** Requests that the node executed. */
  readonly executed: number;
  /** Dispatches that the node recognised as repetitions. */
  readonly dispatchedAgain: number;
  readonly resent: number;
  /** Longest time to a terminal answer, ms. */
  readonly longestMs: number;
}

const server = "edge";
const deadlineMs = 30_000;
/** As every node does: a broker's cluster that chooses a new leader ends connections. */
const again = { reconnectPeriod: 500, resubscribe: false };

/** A connection whose subscriptions are refused hears nothing: another one. mqtt.js by itself would keep it. */
function keepHearing(wire: Wire, filters: readonly string[], then: () => Promise<void>): void {
  wire.mqtt.on("connect", () => {
    const made = wire.subscribe(...filters).then((granted) => {
      if (granted) return then();
      wire.mqtt.stream.destroy();
      return undefined;
    });
    made.catch(() => undefined);
  });
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      // A cluster that has just begun has no leader yet.
      if (attempt === 40) throw error;
      await pause(500);
    }
  }
}

export async function runLoad({ url, requests, everyMs, at }: LoadOptions): Promise<LoadResult> {
  const node = await patiently(() =>
    playNode(
      server,
      "machine",
      (clientId, { topic, payload }) =>
        Wire.connect(url, clientId, {
          will: { topic, payload, qos: 1, retain: true },
          connectTimeout: 3_000,
          ...again,
        }),
      { operations: ["data.collect"], sensors: [map({ 0: "s", 1: 1, 3: 10, 4: 100 })] },
    ),
  );
  keepHearing(node.wire, [`t1/${server}/machine/x`, `t1/${server}/machine/r`], () => node.announce());
  const executed = new Set<string>();
  let dispatchedAgain = 0;
  const keyOf = (each: CborMap): string => [3, 2, 1].map((key) => String(each.get(key))).join("/");
  node.wire.mqtt.on("message", (topic, payload) => {
    const request = topic.endsWith("/x") ? readMap(payload) : undefined;
    if (request === undefined) return;
    void node.answer(request, { 4: 1 }).catch(() => undefined);
    if (executed.has(keyOf(request))) dispatchedAgain++;
    executed.add(keyOf(request));
    setTimeout(() => {
      void node.answer(request, { 7: map({ 0: 1, 1: 0 }), 10: 0, 11: 30_000 }).catch(() => undefined);
    }, 30);
  });
  const asker = await patiently(() => Wire.connect(url, "asker", { connectTimeout: 3_000, ...again }));
  const answers = `t1/${server}/asker/r`;
  await asker.subscribe(answers);
  keepHearing(asker, [answers], () => Promise.resolve());
  const sentAt = new Map<number, number>();
  const terminal = new Map<number, { bytes: string; count: number; error: number | undefined; ms: number }>();
  let different = 0;
  asker.mqtt.on("message", (topic, payload) => {
    const answer = topic === answers ? readMap(payload) : undefined;
    if (answer?.get(4) !== 2) return;
    const id = Number(answer.get(1));
    const bytes = payload.toString("hex");
    const known = terminal.get(id);
    if (known === undefined) {
      const ms = performance.now() - (sentAt.get(id) ?? 0);
      const error = answer.has(6) ? Number((answer.get(6) as CborMap).get(0)) : undefined;
      terminal.set(id, { bytes, count: 1, error, ms });
    } else {
      known.count++;
      if (known.bytes !== bytes) different++;
    }
  });
  const bytesOf = (id: number): Uint8Array =>
    encodeCbor(
      requestMap({
        id,
        boot: 1,
        operation: "data.collect",
        arguments: map({ 0: "s", 1: 1, 2: 10 }),
        deadlineMs,
      }),
    );
  const send = (id: number): void => {
    void asker.publish(`t1/${server}/q/asker`, bytesOf(id)).catch(() => undefined);
  };
  const events: Promise<unknown>[] = [];
  for (let id = 1; id <= requests; id++) {
    sentAt.set(id, performance.now());
    send(id);
    const event = at.get(id);
    if (event !== undefined) events.push(Promise.resolve(event()));
    await pause(everyMs);
  }
  let resent = 0;
  for (const end = performance.now() + 60_000; terminal.size < requests && performance.now() < end;) {
    await pause(3_000);
    for (let id = 1; id <= requests; id++) {
      if (terminal.has(id)) continue;
      resent++;
      send(id);
    }
  }
  await Promise.all(events);
  await pause(700);
  const errors = [...terminal.values()].flatMap(({ error }) => error ?? []);
  const result: LoadResult = {
    sent: requests,
    answered: terminal.size,
    failed: errors.length,
    errors,
    different,
    repeated: [...terminal.values()].filter(({ count }) => count > 1).length,
    executed: executed.size,
    dispatchedAgain,
    resent,
    longestMs: Math.round(Math.max(0, ...[...terminal.values()].map(({ ms }) => ms))),
  };
  node.kill();
  asker.kill();
  return result;
}
