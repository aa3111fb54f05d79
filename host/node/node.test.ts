/** A complete node as a whole: starts with nothing configured, keeps what it was given, stops, and fails to start cleanly. */
import { createServer } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../compiler/diagnostics/user-error.js";
import { operationDefinition } from "../bus/operations/catalogue.js";
import type { Answer } from "../bus/protocol.js";
import { namedResult } from "../bus/request-codec.js";
import { nodeConfigSchema } from "./config.js";
import type { LoadedConfig } from "./load-config.js";
import { startNode, type ComputingNode } from "./node.js";
import type { Order } from "./operations/operation.js";

let folder = "";
const running: ComputingNode[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-complete-"));
});
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

function configured(more: Record<string, unknown> = {}): LoadedConfig {
  const config = nodeConfigSchema.parse({
    bus: { broker: { port: 0 } },
    management: { port: 0, open: true },
    ...more,
  });
  const state = join(folder, "state");
  const data = { kind: "local", path: join(state, "data") } as const;
  return {
    config: {
      ...config,
      state,
      storage: data,
      management: { ...config.management, token: join(state, "token") },
    },
    folder,
    file: undefined,
  };
}

async function start(more?: Record<string, unknown>): Promise<ComputingNode> {
  const node = await startNode(configured(more), { logTo: nowhere });
  running.push(node);
  return node;
}

async function stop(node: ComputingNode): Promise<void> {
  running.splice(running.indexOf(node), 1);
  await node.stop(1000);
}

const ask = (node: ComputingNode, order: Order): Promise<Answer> =>
  node.core.submit(order, { sender: "operator" });

const decodeResult = (operation: string, answer: Answer): Readonly<Record<string, unknown>> =>
  namedResult(operationDefinition(operation)!, answer) ?? {};

const three = { elementType: 6, shape: [3] };
const store = (name: string, ...numbers: number[]): Order => ({
  operation: "data.store",
  arguments: { name, label: "a" },
  input: new Uint8Array(Float32Array.from(numbers).buffer),
  inputDescriptor: three,
});

describe("a complete node", () => {
  it("keeps data over a restart, with the next boot counter", async () => {
    const first = await start();
    expect((await ask(first, store("run", 1, 2, 3))).error).toBeUndefined();
    await stop(first);

    const second = await start();
    expect(second.boot).toBe(first.boot + 1);
    const list = await ask(second, { operation: "data.list" });
    expect(decodeResult("data.list", list)).toMatchObject({
      dataSets: [{ name: "run", items: 1, bytes: 12 }],
    });
  });
  it("answers for itself: node.describe, node.monitor, node.configure", async () => {
    const node = await start({ labels: ["hall-3"] });
    const birth = decodeResult("node.describe", await ask(node, { operation: "node.describe" }));
    expect(birth).toMatchObject({ node: "edge", kind: 1, labels: ["hall-3"] });
    expect(birth["operations"]).toContain("data.store");
    const set = { operation: "node.configure", arguments: { settings: { "sweep.interval": 7 } } };
    expect(decodeResult("node.configure", await ask(node, set))).toMatchObject({
      settings: { "sweep.interval": 7, "log.level": 1 },
    });
    expect((await ask(node, { operation: "node.monitor" })).error).toBeUndefined();
  });
  it("tells its own sensors in its birth record, and collects from them", async () => {
    const sensor = {
      name: "pump",
      source: "generator:vibration-bearing",
      channels: ["x", "y", "z"],
      unit: "g",
    };
    const node = await start({ connectors: [{ kind: "replay", sensors: [{ ...sensor, rate: 1600 }] }] });
    const record = { name: "pump", channels: 3, unit: "g", rate: 1600, channelNames: ["x", "y", "z"] };
    expect(node.core.birth().sensors).toEqual([expect.objectContaining(record)]);
    const birth = decodeResult("node.describe", await ask(node, { operation: "node.describe" }));
    expect(birth["sensors"]).toEqual([expect.objectContaining(record)]);
    const collected = await ask(node, {
      operation: "data.collect",
      arguments: { sensor: "pump", frames: 4 },
    });
    expect(collected.error).toBeUndefined();
    expect(collected.output).toHaveLength(4 * 3 * 4);
  });
  it("takes nothing while drained, and takes requests again", async () => {
    const node = await start();
    const control = (action: string): Order => ({ operation: "node.control", arguments: { action } });
    expect((await ask(node, control("drain"))).error).toBeUndefined();
    expect((await ask(node, store("run", 1, 2, 3))).error?.code).toBe(7);
    const response = await fetch(`${addressOf(node, "management")}/api/v1/control/resume`, {
      method: "POST",
      headers: { "x-tmc-request": "1" },
    });
    expect(response.status).toBe(200);
    expect((await ask(node, store("run", 1, 2, 3))).error).toBeUndefined();
  });
  it("ends on an order: restart", async () => {
    const node = await start();
    const order = { operation: "node.control", arguments: { action: "restart" } };
    expect(decodeResult("node.control", await ask(node, order))).toEqual({ state: "restarting" });
    expect(await node.ended).toBe("restart");
  });
  it("is alone in its state folder", async () => {
    await start();
    expect((await failure(start())).code).toBe("TMC6201");
  });
  it("leaves nothing behind when a part cannot start", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" ? address?.port : undefined;
    expect((await failure(start({ management: { port, open: true } }))).code).toBe("TMC6402");
    await new Promise((resolve) => taken.close(resolve));
    // The storage's lock is free again, and so is everything else.
    await start({ management: { port, open: true } });
  });
});

function addressOf(node: ComputingNode, what: string): string {
  return node.addresses.find((each) => each.what === what)?.url ?? "";
}

async function failure(run: Promise<unknown>): Promise<UserError> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`no UserError, but ${String(error)}`);
}
