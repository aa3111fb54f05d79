/** The faults that `npm run faults` injects, one function for each, under a steady load of requests. */
import { setTimeout as sleep } from "node:timers/promises";
import { openBroker } from "../support/open-broker.js";
import { playNode, playServer } from "../conformance/played-node.js";
import { Wire } from "../conformance/probe.js";
import type { PlayedNode } from "../conformance/rule.js";
import { encodeCbor, map, readMap } from "../conformance/wire.js";
import { Broker, findMosquitto } from "../support/mosquitto.js";
import { FaultClient, Outages, storeItem, type Order } from "./fault-client.js";
import { judge, skippedFault, type Evidence, type FaultResult } from "./fault-report.js";
import { canMount, FaultyNode, type FaultyNodeOptions } from "./faulty-node.js";

export interface FaultOptions {
  /** How many times each fault happens. */
  readonly rounds: number;
  readonly clients: number;
  /** Requests a second, of all clients together. */
  readonly rate: number;
  /** Load before each fault and after the last one, ms. */
  readonly calmMs: number;
  readonly deadlineMs: number;
}

export const defaultOptions: FaultOptions = {
  rounds: 5,
  clients: 3,
  rate: 120,
  calmMs: 1500,
  deadlineMs: 3000,
};

/** What a fault works with. */
interface Scene {
  readonly node: FaultyNode;
  readonly outages: Outages;
  /** The load goes on meanwhile. */
  calm(): Promise<void>;
  /** Begins an outage, during which `breakIt` and `mend` run; ends with the first answer after them. */
  away(breakIt: () => Promise<void>, mend: () => Promise<void>): Promise<void>;
}

interface Fault {
  readonly name: string;
  readonly order: (n: number) => Order;
  readonly node?: FaultyNodeOptions;
  /** Before the load. */
  readonly prepare?: (node: FaultyNode) => Promise<void>;
  readonly run: (scene: Scene) => Promise<void>;
  readonly allowed?: Evidence["allowed"];
  readonly expected?: readonly string[];
}

const graceMs = 1000;
const giveUpMs = 30_000;

async function underLoad(fault: Fault, options: FaultOptions): Promise<FaultResult> {
  const outages = new Outages();
  const node = await FaultyNode.start(fault.node);
  const clients: FaultClient[] = [];
  const answers = (): number => clients.reduce((sum, client) => sum + client.answers, 0);
  let awayMs = 0;
  try {
    for (let index = 0; index < options.clients; index++) {
      const { deadlineMs } = options;
      const rate = options.rate / options.clients;
      const { order } = fault;
      clients.push(
        await FaultClient.connect({
          url: node.url,
          index,
          outages,
          rate,
          deadlineMs,
          graceMs,
          giveUpMs,
          order,
        }),
      );
    }
    await fault.prepare?.(node);
    for (const client of clients) client.start();
    const scene: Scene = {
      node,
      outages,
      calm: () => sleep(options.calmMs * (0.75 + Math.random() / 2)),
      async away(breakIt, mend) {
        outages.begin();
        await breakIt();
        await mend();
        const before = answers();
        const until = performance.now() + 20_000;
        while (answers() === before) {
          if (performance.now() > until)
            throw new Error(`${fault.name}: no answer in 20 s after it was over`);
          await sleep(10);
        }
        awayMs = Math.max(awayMs, outages.end());
        for (const client of clients) client.repeatAll();
      },
    };
    await scene.calm();
    for (let round = 0; round < options.rounds; round++) {
      await fault.run(scene);
      await scene.calm();
    }
    for (const client of clients) client.stop();
    // Every request ends by itself: answered, unanswered or given up.
    while (clients.some((client) => client.pending > 0)) await sleep(20);
    // A second answer would come now.
    await sleep(300);
    const stored = await node.stopAndLook();
    return judge({
      fault: fault.name,
      times: options.rounds,
      awayMs,
      clients,
      outages,
      ...stored,
      allowed: fault.allowed ?? (() => []),
      expected: ["ok", ...(fault.expected ?? [])],
    });
  } finally {
    for (const client of clients) await client.close();
    await node.remove();
  }
}

/** Two writes of three requests; the third only asks. */
const storing = (n: number): Order => (n % 3 === 1 ? { operation: "node.monitor" } : storeItem(n));

/** Half of the requests are writes; the others need a minimal node with a sensor. */
const collecting = (n: number): Order =>
  n % 2 === 0
    ? storeItem(n)
    : { operation: "data.collect", arguments: { sensor: "played", frames: 1, mode: 1 } };

/** Answers every request 120 ms after it acknowledged it, so that there are always some on their way. */
async function playSensor(url: string, id: string, boot: number): Promise<PlayedNode> {
  const sensors = [map({ 0: "played", 1: 1, 3: 10, 4: 100 })];
  const connect = (clientId: string, will: { topic: string; payload: Buffer }): Promise<Wire> =>
    Wire.connect(url, clientId, { will: { ...will, qos: 1, retain: true } });
  const node = await playNode("edge", id, connect, {
    boot,
    operations: ["data.collect", "node.describe", "node.monitor"],
    sensors,
  });
  node.wire.mqtt.on("message", (topic, payload) => {
    const request = topic.endsWith("/x") ? readMap(payload) : undefined;
    if (request === undefined) return;
    node.answer(request, { 4: 1 }).catch(() => undefined);
    const result = map({ 0: 1, 1: 0, 2: [[1, 1, 1, 1]] });
    setTimeout(() => {
      if (!node.wire.mqtt.connected) return;
      node.answer(request, { 7: result, 10: 0, 11: 120_000 }).catch(() => undefined);
    }, 120);
  });
  return node;
}

type Injection = (options: FaultOptions) => Promise<FaultResult>;

const killNode: Injection = (options) =>
  underLoad(
    {
      name: "node killed",
      order: storing,
      run: ({ node, away }) =>
        away(
          () => node.kill(),
          () => node.resume(),
        ),
    },
    options,
  );

const killBroker: Injection = async (options) => {
  const name = "broker killed";
  if (findMosquitto() === undefined) return skippedFault(name, "needs mosquitto");
  const broker = await Broker.start();
  try {
    return await underLoad(
      {
        name,
        order: storing,
        node: { broker: broker.url },
        run: ({ away }) =>
          away(
            () => broker.kill(),
            () => broker.resume(),
          ),
      },
      options,
    );
  } finally {
    await broker.stop();
  }
};

/** One after the other dies and comes back: the other one takes over. */
const killOneMinimal: Injection = async (options) => {
  const played: PlayedNode[] = [];
  let boot = 1;
  const result = await underLoad(
    {
      name: "minimal node killed, another there",
      order: collecting,
      async prepare(node) {
        for (const id of ["m1", "m2"]) played.push(await playSensor(node.url, id, boot));
        // Until the node has read their records.
        await sleep(300);
      },
      async run({ node, calm }) {
        const victim = played.shift() as PlayedNode;
        victim.kill();
        await calm();
        played.push(await playSensor(node.url, victim.id, ++boot));
      },
    },
    options,
  );
  for (const node of played) node.kill();
  return result;
};

/** Nobody is left: an error, at once. */
const killAllMinimal: Injection = (options) => {
  let boot = 0;
  return underLoad(
    {
      name: "all minimal nodes killed",
      order: collecting,
      allowed: (operation) => (operation === "data.collect" ? ["no-capable-node"] : []),
      async run({ node, calm }) {
        const played = await playSensor(node.url, "m1", ++boot);
        await calm();
        played.kill();
      },
    },
    options,
  );
};

/** It acknowledges every second request, and answers none. */
const silentNeighbour: Injection = async (options) => {
  const broker = await openBroker();
  const neighbour = await playServer(broker.url, "silent", "edge");
  neighbour.able = true;
  let odd = false;
  neighbour.wire.mqtt.on("message", (topic, payload) => {
    const request = topic === "t1/silent/q/edge" ? readMap(payload) : undefined;
    if (request === undefined) return;
    odd = !odd;
    if (odd) return;
    const accepted = map({
      0: 1,
      1: request.get(1),
      2: request.get(2),
      3: request.get(3),
      4: 1,
      5: "silent",
    });
    void neighbour.wire.publish("t1/silent/edge/r", encodeCbor(accepted));
  });
  try {
    return await underLoad(
      {
        name: "silent neighbour",
        order: (n) =>
          n % 2 === 0 ? storeItem(n) : { operation: "data.collect", arguments: { sensor: "far", frames: 1 } },
        node: { neighbours: [{ id: "silent", url: broker.url }] },
        allowed: (operation) => (operation === "data.collect" ? ["deadline"] : []),
        expected: ["deadline"],
        run: ({ calm }) => calm(),
      },
      options,
    );
  } finally {
    await neighbour.wire.close();
    await broker.close();
  }
};

const fullDisk: Injection = async (options) => {
  const name = "disk full";
  if (!canMount()) return skippedFault(name, "needs `unshare -Urm`: user namespaces");
  return underLoad(
    {
      name,
      order: storing,
      node: { smallDisk: true },
      allowed: (operation) => (operation === "data.store" ? ["no-space"] : []),
      expected: ["no-space"],
      async run({ node, calm }) {
        await node.fillDisk();
        await calm();
        await node.freeDisk();
      },
    },
    options,
  );
};

/** By the name that `--only` takes. */
export const faults: ReadonlyMap<string, Injection> = new Map([
  ["node", killNode],
  ["broker", killBroker],
  ["minimal", killOneMinimal],
  ["all-minimal", killAllMinimal],
  ["neighbour", silentNeighbour],
  ["disk", fullDisk],
]);
