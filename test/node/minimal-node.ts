/** Builds firmware/app.ts for the host with sanitizers, and starts it beside a broker and a client that plays the server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { libraryNeeds } from "../../compiler/board/runtime-sources.js";
import { buildExecutable } from "../../compiler/board/toolchain.js";
import { writeSources } from "../../compiler/cli/write-sources.js";
import { compileProgram } from "../../compiler/pipeline/compile.js";
import { BusClient, type Exchange, type Order } from "../../host/bus/bus-client.js";
import { resultOf, type ResultOf } from "../../host/bus/protocol.js";
import { Broker } from "../support/mosquitto.js";
import { NodeProcess } from "../support/node-process.js";

export const serverId = "edge";

/** An app (the default node), compiled with AddressSanitizer and UBSan. Takes some ten seconds. */
export async function buildMinimalNode(
  folder: string,
  entry: string = packagePath("firmware", "app.ts"),
): Promise<string> {
  const result = compileProgram({
    entry,
    root: packagePath("."),
    checked: false,
    kind: "app",
  });
  if (!result.ok) {
    const lines = result.diagnostics.map(
      (each) => `${each.loc.file}:${each.loc.line}: ${each.code} ${each.message}`,
    );
    throw new Error(`${entry} does not compile:\n${lines.join("\n")}`);
  }
  const written = writeSources(result.compiled, folder);
  const { elf } = await buildExecutable({
    board: findBoard("host"),
    sources: written.sources,
    includeDirs: [written.folder],
    outDir: folder,
    name: "node",
    port: "node",
    ...libraryNeeds(result.compiled.c.externs, result.compiled.models.models.length),
    sanitize: true,
    opt: "-O1",
  });
  return elf;
}

/** One broker, one executable, and a client; nodes are started by the tests. */
export class Bench {
  private readonly nodes: NodeProcess[] = [];
  private count = 0;

  private constructor(
    readonly folder: string,
    readonly program: string,
    readonly broker: Broker,
    readonly client: BusClient,
  ) {}

  static async start(): Promise<Bench> {
    const folder = mkdtempSync(join(tmpdir(), "tmc-node-"));
    try {
      const program = await buildMinimalNode(folder);
      const broker = await Broker.start();
      const client = await BusClient.connect({ url: broker.url, server: serverId });
      return new Bench(folder, program, broker, client);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A new node, after its birth. `id` again: the next boot of that node. */
  async node(options: { id?: string; args?: readonly string[] } = {}): Promise<NodeProcess> {
    const id = options.id ?? `n${++this.count}`;
    const before = this.client.births.get(id)?.boot ?? 0;
    const node = await NodeProcess.start({
      program: this.program,
      id,
      url: this.broker.url,
      server: serverId,
      stateDir: join(this.folder, id),
      args: options.args ?? [],
    });
    this.nodes.push(node);
    await this.client.state(id, (state) => state.online && state.boot > before);
    return node;
  }

  /** Writes a CSV file and gives the --sensor argument for it. */
  accelerometer(name: string, rows: readonly (readonly number[])[]): string[] {
    const file = join(this.folder, `${name}.csv`);
    writeFileSync(file, ["x,y,z", ...rows.map((row) => row.join(","))].join("\n") + "\n");
    return ["--sensor", `accelerometer=csv:${file}`];
  }

  /** A request that must succeed; its result. */
  async ask<K extends keyof ResultOf>(
    node: NodeProcess,
    operation: K,
    order: Omit<Order, "operation"> = {},
  ): Promise<ResultOf[K]> {
    const exchange = await this.exchange(node, operation, order);
    if (exchange.done.error !== undefined) {
      throw new Error(`${operation} failed: ${JSON.stringify(exchange.done.error)}`);
    }
    return resultOf(operation, exchange.done);
  }

  exchange(node: NodeProcess, operation: string, order: Omit<Order, "operation"> = {}): Promise<Exchange> {
    return this.client.request(node.id, { ...order, operation }, 30_000);
  }

  /** Stops the nodes; each must end by itself and without a report of a sanitizer. Returns what was wrong. */
  async stopNodes(): Promise<string[]> {
    const wrong: string[] = [];
    for (const node of this.nodes.splice(0)) {
      const { exit } = await node.stop();
      if (exit.code !== 0 && exit.signal !== "SIGKILL") {
        wrong.push(`${node.id} ended with ${JSON.stringify(exit)}:\n${node.child.text("stderr")}`);
      }
    }
    return wrong;
  }

  async stop(): Promise<void> {
    await this.stopNodes();
    await this.client.close();
    await this.broker.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
