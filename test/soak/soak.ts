/**
 * A node on Zephyr under load over mutual TLS, for minutes or hours, while the broker dies and comes back, certificates are
 * refused on either side, and the network and the Wi-Fi module fail (faults.ts). Every request must be answered, or be lost
 * to something that happened; the node must come back from each in time, without a restart, a trap or more memory.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findBoard } from "../../compiler/board/board.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import type { SerialConsole } from "../../compiler/device/serial-console.js";
import { BusClient, BusError, type Order } from "../../host/bus/bus-client.js";
import { resultOf, type ResultOf } from "../../host/bus/protocol.js";
import { Random } from "../models/random-graphs.js";
import { consoleOf, giveIdentity, hostSeenFrom } from "../zephyr/support/provision-node.js";
import { TimeServer } from "../zephyr/support/time-server.js";
import { WifiModule } from "../zephyr/support/wifi-module.js";
import { World, type Faults } from "./faults.js";
import { growth, readStatus, type Marks } from "./memory.js";
import { buildTarget, type Target } from "./targets.js";

export interface SoakOptions {
  readonly target: Target;
  readonly minutes: number;
  /** Requests a second; default: the target's. */
  readonly rate?: number;
  readonly seed: number;
  /** What happens, as it happens. */
  readonly onLine?: (line: string) => void;
}

export interface SoakResult {
  readonly target: string;
  readonly requests: number;
  /** With a terminal answer; of them with an error, by code. */
  readonly answered: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Without an answer, while something was broken. */
  readonly lost: number;
  /** How often, by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** Milliseconds from the end of a fault to the first answer after it, and of which. */
  readonly slowestReturn: number;
  readonly slowestFault: string;
  /** When everything had happened once (undefined: it had not), and at the end. */
  readonly early: Marks | undefined;
  readonly late: Marks;
  /** What the console's "status" counts, at the end. */
  readonly port: Readonly<Record<string, number>>;
  readonly status: ResultOf["node.monitor"];
  /** What must not be. */
  readonly failures: readonly string[];
}

const requestTimeoutMs = 15_000;

interface Trouble {
  readonly from: number;
  until: number;
}

/** A started node and what belongs to it. */
interface Setup {
  readonly world: World;
  readonly node: ZephyrNode;
  readonly serial: SerialConsole;
  readonly client: BusClient;
  readonly faults: Faults;
  readonly pid: number | undefined;
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const executable = await buildTarget(options.target);
  const folder = mkdtempSync(join(tmpdir(), "tmc-soak-"));
  try {
    return await new Soak(options, folder).run(executable);
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
  private requests = 0;
  private answered = 0;
  private lost = 0;
  private slowest = { ms: 0, fault: "none" };
  private ending = false;
  /** Faults still to come in this round. */
  private deck: string[] = [];
  private early: Marks | undefined;

  constructor(
    private readonly options: SoakOptions,
    private readonly folder: string,
  ) {
    this.random = new Random(options.seed);
  }

  async run(executable: string): Promise<SoakResult> {
    const { target } = this.options;
    const board = findBoard(target.board);
    const host = hostSeenFrom(board);
    const world = await World.start(this.folder, host, this.random);
    const time = await TimeServer.start();
    const module = target.wifi ? await WifiModule.start("soak", "correct horse") : undefined;
    const more = module === undefined ? [] : module.qemuArgs;
    const run = board.run.how === "qemu" ? { ...board.run, args: [...board.run.args, ...more] } : board.run;
    const node = await runZephyr({
      board: { ...board, run },
      executable,
      stateDir: join(this.folder, "device"),
      sensor: "accelerometer=generator:vibration-bearing",
      // The emulator shares its processor with the rest of this machine, its watchdog's clock does not.
      ...(board.run.how === "qemu" ? { handlerMaxMs: 50_000 } : {}),
      onLine: (line) => this.hear(line),
    });
    const { serial, device } = consoleOf(node);
    try {
      await serial.connect();
      await giveIdentity(device, world.store, { id: "z1", servers: `mqtts://${host}:${world.proxy.port}` });
      await device.put("sntp", Buffer.from(`${host}:${time.port}`));
      if (module !== undefined) {
        await device.put("wifi-ssid", Buffer.from("soak"));
        await device.put("wifi-psk", Buffer.from("correct horse"));
      }
      await device.restart();
      await serial.connect();
      const client = await BusClient.connect({ url: world.url, server: "edge" });
      try {
        const pid = board.run.how === "process" ? node.process.pid : undefined;
        const faults = world.faults(node, module);
        return await this.soak({ world, node, serial, client, faults, pid });
      } finally {
        await client.close();
      }
    } catch (error) {
      const said = node.lines.slice(-40).join("\n");
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
    } finally {
      await node.stop();
      await module?.close();
      await time.stop();
      await world.stop();
    }
  }

  /** What the node warns of, and why it started. */
  private hear(line: string): void {
    if (/ (warning|error|info: boot)/.test(line)) this.options.onLine?.(`  ${line}`);
  }

  private async soak(setup: Setup): Promise<SoakResult> {
    const { client } = setup;
    const first = await client.state("z1", (state) => state.online, 60_000);
    const load = this.load(client);
    const begin = performance.now();
    const end = begin + this.options.minutes * 60_000;
    while (performance.now() < end && this.failures.length === 0) {
      await sleep(1000 + this.random.unit() * 4000);
      if (this.deck.length === 0) {
        const allHappened = Object.keys(this.faults).length > 0;
        // Everything has happened, and there was time for what is used only now and then.
        if (allHappened && this.early === undefined && performance.now() - begin > (end - begin) / 4) {
          this.early = (await readStatus(setup.serial, setup.pid)).marks;
        }
        this.deck = Object.keys(setup.faults);
      }
      const name = this.random.pick(this.deck);
      this.deck = this.deck.filter((each) => each !== name);
      await this.fault(setup, name);
    }
    this.ending = true;
    await load;
    return this.judge(setup, first.boot);
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
      await sleep(1000 / (this.options.rate ?? this.options.target.rate));
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
  private async fault(setup: Setup, name: string): Promise<void> {
    this.faults[name] = (this.faults[name] ?? 0) + 1;
    const trouble = { from: performance.now(), until: Number.POSITIVE_INFINITY };
    this.troubles.push(trouble);
    this.options.onLine?.(name);
    try {
      await setup.faults[name]?.();
    } catch (error) {
      this.failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const returned = await this.returned(setup.client, name);
    trouble.until = performance.now();
    if (returned > this.slowest.ms) this.slowest = { ms: returned, fault: name };
    const { marks } = await readStatus(setup.serial, setup.pid);
    const memory = `tls ${marks.tls}/${marks.tlsMost}, outbox ${marks.outbox}/${marks.outboxMost}, stack ${marks.stackFree}, rss ${marks.rss}`;
    this.options.onLine?.(
      `back after ${Math.round(returned)} ms; ${this.answered} of ${this.requests} answered; ${memory}`,
    );
  }

  /** ms until an answer comes again. */
  private async returned(client: BusClient, name: string): Promise<number> {
    const since = performance.now();
    const { returnMs } = this.options.target;
    while (performance.now() - since < returnMs) {
      const answer = await client.request("z1", { operation: "node.monitor" }, 2000).catch(() => undefined);
      if (answer !== undefined) return performance.now() - since;
    }
    this.failures.push(`${name}: no answer for ${returnMs / 1000} s after everything was whole again`);
    return performance.now() - since;
  }

  private async judge({ client, serial, pid }: Setup, boot: number): Promise<SoakResult> {
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
    const { marks, counters: port } = await readStatus(serial, pid);
    if (this.early !== undefined) this.failures.push(...growth(this.early, marks));
    return {
      target: this.options.target.name,
      requests: this.requests,
      answered: this.answered,
      errors: this.errors,
      lost: this.lost,
      faults: this.faults,
      slowestReturn: this.slowest.ms,
      slowestFault: this.slowest.fault,
      early: this.early,
      late: marks,
      port,
      status,
      failures: this.failures,
    };
  }
}
