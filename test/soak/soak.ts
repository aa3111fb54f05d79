/**
 * A node on Zephyr under load over mutual TLS, for minutes or hours, while the broker dies and comes back, certificates are
 * refused on either side, and the network holds, delays, splits and ends what passes. Every request must be answered, or be
 * lost to something that happened; the node must come back from each, without a restart, a trap or more memory.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findBoard } from "../../compiler/board/board.js";
import { runZephyr } from "../../compiler/board/zephyr/run.js";
import { BusClient, BusError, type Order } from "../../host/bus/bus-client.js";
import { resultOf, type ResultOf } from "../../host/bus/protocol.js";
import { createAuthority, issueServer } from "../../host/node/broker/certificates.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import { Random } from "../models/random-graphs.js";
import { openBroker, type OpenBroker, type OpenBrokerTls } from "../support/open-broker.js";
import { buildDefaultNode } from "../zephyr/support/zephyr-node.js";
import { hostSeenFrom, provisionNode } from "../zephyr/support/provision-node.js";
import { LossyProxy, type Weather } from "./lossy-proxy.js";

export interface SoakOptions {
  readonly board: string;
  readonly minutes: number;
  /** Requests a second. */
  readonly rate: number;
  readonly seed: number;
  /** What happens, as it happens. */
  readonly onLine?: (line: string) => void;
}

export interface SoakResult {
  readonly requests: number;
  /** With a terminal answer; of them with an error, by code. */
  readonly answered: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Without an answer, while something was broken. */
  readonly lost: number;
  /** How often, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Milliseconds from the end of a fault to the first answer after it. */
  readonly slowestReturn: number;
  /** KiB of the node's process: after the first tenth, the most, at the end; undefined in QEMU. */
  readonly memory: { readonly early: number; readonly most: number; readonly end: number } | undefined;
  readonly status: ResultOf["node.monitor"];
  /** What must not be. */
  readonly failures: readonly string[];
}

const requestTimeoutMs = 15_000;
/** Longer than the longest wait between attempts, with the attempt. */
const returnTimeoutMs = 90_000;
/** Pages that a process of this size may still touch for the first time. */
const memorySlackKiB = 512;

interface Trouble {
  readonly from: number;
  until: number;
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const folder = mkdtempSync(join(tmpdir(), "tmc-soak-"));
  try {
    return await new Soak(options, folder).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Soak {
  private readonly random: Random;
  private readonly troubles: Trouble[] = [];
  private readonly failures: string[] = [];
  private readonly faults: Record<string, number> = {};
  private readonly errors: Record<string, number> = {};
  private readonly rss: number[] = [];
  private requests = 0;
  private answered = 0;
  private lost = 0;
  private slowestReturn = 0;
  private ending = false;

  constructor(
    private readonly options: SoakOptions,
    private readonly folder: string,
  ) {
    this.random = new Random(options.seed);
  }

  async run(): Promise<SoakResult> {
    const board = findBoard(this.options.board);
    const { image } = await buildDefaultNode(board.name);
    if (image === undefined) throw new Error(`no image for ${board.name}`);
    const host = hostSeenFrom(board);
    const store = await IdentityStore.open(join(this.folder, "server"), "edge");
    const honest = await store.serverMaterial([host]);
    const other = await createAuthority("edge");
    const impostor = await issueServer(other, "edge", 30, [host]);
    let broker = await openBroker({ tls: honest });
    const ports = { plain: Number(new URL(broker.url).port), tls: broker.tlsPort };
    const again = async (tls: OpenBrokerTls): Promise<void> => {
      broker = await openBroker({ tls, ports });
    };
    const proxy = await LossyProxy.start(ports.tls, () => this.random.unit());
    const node = await runZephyr({
      board,
      executable: image,
      stateDir: join(this.folder, "device"),
      sensor: "accelerometer=generator:vibration-bearing",
    });
    try {
      await provisionNode(node, store, { id: "z1", servers: `mqtts://${host}:${proxy.port}` });
      const client = await BusClient.connect({ url: broker.url, server: "edge" });
      try {
        const first = await client.state("z1", (state) => state.online);
        const pid = board.run.how === "process" ? node.process.pid : undefined;
        const load = this.load(client);
        const watch = this.watchMemory(pid);
        const end = performance.now() + this.options.minutes * 60_000;
        while (performance.now() < end && this.failures.length === 0) {
          await sleep(1000 + this.random.unit() * 5000);
          await this.fault(client, proxy, {
            broker: () => broker,
            again,
            honest,
            other: other.certificate,
            impostor,
          });
        }
        this.ending = true;
        await load;
        await watch;
        return await this.judge(client, first.boot);
      } finally {
        await client.close();
      }
    } catch (error) {
      const said = node.lines.slice(-40).join("\n");
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
    } finally {
      await node.stop();
      await proxy.stop();
      await broker.close();
    }
  }

  /** Requests at a steady rate until the end; gives when all have ended. */
  private async load(client: BusClient): Promise<void> {
    const orders: Order[] = [
      { operation: "node.monitor" },
      { operation: "node.describe" },
      { operation: "node.monitor", brief: true },
      { operation: "data.collect", arguments: { sensor: "accelerometer", frames: 20 } },
      { operation: "model.infer", selector: { name: "vibration" }, input: "sensor:accelerometer" },
    ];
    const open = new Set<Promise<void>>();
    while (!this.ending) {
      const order = this.random.pick(orders);
      const one = this.ask(client, order).finally(() => open.delete(one));
      open.add(one);
      await sleep(1000 / this.options.rate);
    }
    await Promise.all(open);
  }

  private async ask(client: BusClient, order: Order): Promise<void> {
    const from = performance.now();
    this.requests++;
    try {
      const { done } = await client.request("z1", order, requestTimeoutMs);
      this.answered++;
      if (done.error !== undefined) {
        const code = String(done.error.code);
        this.errors[code] = (this.errors[code] ?? 0) + 1;
      }
    } catch (error) {
      if (!(error instanceof BusError)) {
        this.failures.push(`${order.operation}: ${String(error)}`);
        return;
      }
      const until = performance.now();
      if (this.troubles.some((trouble) => trouble.from <= until && trouble.until >= from)) this.lost++;
      else this.failures.push(`${order.operation} was not answered, and nothing was broken`);
    }
  }

  /** Something breaks, is whole again, and the node must come back. */
  private async fault(
    client: BusClient,
    proxy: LossyProxy,
    world: {
      readonly broker: () => OpenBroker;
      readonly again: (tls: OpenBrokerTls) => Promise<void>;
      readonly honest: OpenBrokerTls;
      readonly other: string;
      readonly impostor: { readonly certificate: string; readonly key: string };
    },
  ): Promise<void> {
    const { honest, impostor, other } = world;
    const pause = (least: number, most: number): Promise<void> =>
      sleep(1000 * (least + this.random.unit() * (most - least)));
    const instead = async (tls: OpenBrokerTls): Promise<void> => {
      await world.broker().close();
      await world.again(tls);
      await pause(3, 8);
      await world.broker().close();
      await world.again(honest);
    };
    const under = async (weather: Weather, least: number, most: number): Promise<void> => {
      proxy.set(weather);
      await pause(least, most);
      proxy.set("clear");
    };
    const kinds: Readonly<Record<string, () => Promise<void>>> = {
      "the broker dies": async () => {
        await world.broker().close();
        await pause(1, 8);
        await world.again(honest);
      },
      "the broker's certificate is refused": () =>
        instead({ ca: honest.ca, cert: impostor.certificate, key: impostor.key }),
      "the node's certificate is refused": () => instead({ ...honest, ca: other }),
      "nothing passes": () => under("stalled", 1, 25),
      "everything is late": () => under("slow", 5, 15),
      "a few bytes at once": () => under("split", 5, 15),
      "connections are reset": () => {
        proxy.reset();
        return Promise.resolve();
      },
    };
    const name = this.random.pick(Object.keys(kinds));
    this.faults[name] = (this.faults[name] ?? 0) + 1;
    const trouble = { from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.troubles.push(trouble);
    await kinds[name]?.();
    const mended = performance.now();
    const returned = await this.returned(client, mended);
    trouble.until = performance.now();
    this.slowestReturn = Math.max(this.slowestReturn, returned);
    this.options.onLine?.(
      `${name}: back after ${Math.round(returned)} ms; ${this.answered} of ${this.requests} answered`,
    );
  }

  /** ms until an answer comes again. */
  private async returned(client: BusClient, since: number): Promise<number> {
    while (performance.now() - since < returnTimeoutMs) {
      const answer = await client.request("z1", { operation: "node.monitor" }, 1000).catch(() => undefined);
      if (answer !== undefined) return performance.now() - since;
    }
    this.failures.push(`no answer for ${returnTimeoutMs / 1000} s after everything was whole again`);
    return performance.now() - since;
  }

  private async watchMemory(pid: number | undefined): Promise<void> {
    while (!this.ending && pid !== undefined) {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      this.rss.push(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? "0"));
      await sleep(1000);
    }
  }

  private async judge(client: BusClient, boot: number): Promise<SoakResult> {
    const { done } = await client.request("z1", { operation: "node.monitor" }, requestTimeoutMs);
    const status = resultOf("node.monitor", done);
    const { counters } = status;
    // The request that asks is received and not yet answered.
    const unanswered = counters.received - counters.answered - counters.duplicates - 1;
    if (unanswered !== 0)
      this.failures.push(`the node has received ${unanswered} requests more than it answered`);
    if (counters.traps !== 0) this.failures.push(`${counters.traps} traps`);
    if (status.boot !== boot)
      this.failures.push(`the node has started anew: boot ${status.boot}, not ${boot}`);
    if (status.active !== 0) this.failures.push(`${status.active} requests are pending with nobody asking`);
    const memory =
      this.rss.length === 0
        ? undefined
        : {
            early: this.rss[Math.floor(this.rss.length / 10)] ?? 0,
            most: Math.max(...this.rss),
            end: this.rss.at(-1) ?? 0,
          };
    if (memory !== undefined && memory.end > memory.early + memorySlackKiB) {
      this.failures.push(`the process grew from ${memory.early} to ${memory.end} KiB`);
    }
    const { requests, answered, errors, lost, faults, slowestReturn, failures } = this;
    return { requests, answered, errors, lost, faults, slowestReturn, memory, status, failures };
  }
}
