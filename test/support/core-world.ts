/** Servers and played nodes on buses in memory, for tests of the Core Service. */
import { Writable } from "node:stream";
import { createLog } from "../../host/node/log.js";
import type { CoreServiceOptions } from "../../host/node/core/core-options.js";
import { createCoreService, type RunningCoreService } from "../../host/node/core/service.js";
import { willOf } from "../../host/node/core/own-record.js";
import { MemoryBus, type MemoryConnection } from "./memory-bus.js";
import { MemoryNode } from "./memory-node.js";

export const silentLog = createLog("error", new Writable({ write: (_chunk, _encoding, done) => done() })).log;

/** A model of int8 tensors as a birth record has it. */
export const testModel = (name: string, shape = [4], version = "1.0.0"): object => ({
  name,
  version,
  task: "classification",
  inputs: [tensor(shape)],
  outputs: [tensor([2])],
});

const tensor = (shape: number[]): Map<number, unknown> =>
  new Map<number, unknown>([
    [0, 0],
    [1, shape],
    [5, 0.5],
    [6, 0],
  ]);

/** One server's bus, and the server. */
export interface TestServer {
  readonly bus: MemoryBus;
  readonly core: RunningCoreService;
  readonly connection: MemoryConnection;
  /** Its connections to neighbours, by id. */
  readonly links: ReadonlyMap<string, MemoryConnection>;
}

export class CoreWorld {
  private readonly servers = new Map<string, TestServer>();

  /** `neighbours`: servers that exist already. */
  async server(
    id: string,
    neighbours: readonly string[] = [],
    options: Partial<CoreServiceOptions> = {},
  ): Promise<TestServer> {
    const bus = new MemoryBus();
    const connection = bus.connect();
    const boot = options.boot ?? 5;
    const links = new Map(
      neighbours.map((n) => {
        const will = { topic: `t1/${n}/${id}/s`, payload: willOf(id, boot) };
        return [n, this.get(n).bus.connect(will)] as const;
      }),
    );
    const core = createCoreService({
      id,
      boot,
      connection,
      log: silentLog,
      roleOf: (sender) => (this.servers.has(sender) || sender === id ? "server" : "node"),
      neighbours: [...links].map(([n, c]) => ({ id: n, connection: c })),
      ...options,
    });
    await core.start();
    const server = { bus, core, connection, links };
    this.servers.set(id, server);
    await MemoryBus.settled();
    return server;
  }

  get(id: string): TestServer {
    const server = this.servers.get(id);
    if (server === undefined) throw new Error(`no server ${id}`);
    return server;
  }

  async node(server: string, id: string, record: object = {}, boot = 1): Promise<MemoryNode> {
    const models = { models: [testModel("m")] };
    const node = await new MemoryNode(this.get(server).bus, server, id, boot, {
      ...models,
      ...record,
    }).join();
    await MemoryBus.settled();
    return node;
  }

  async stop(): Promise<void> {
    for (const { core } of this.servers.values()) await core.stop();
    this.servers.clear();
  }
}

export const settled = (): Promise<void> => MemoryBus.settled();

/** Resolves when `check` holds; fails after 2 s. */
export async function until(check: () => boolean): Promise<void> {
  const end = performance.now() + 2000;
  while (!check()) {
    if (performance.now() > end) throw new Error("not within 2 s");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
