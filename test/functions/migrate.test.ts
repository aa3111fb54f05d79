/** Two complete nodes, one joined to the other: a function moves over the bus, in chunks, and is called from where it was. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { errorCodes } from "../../host/bus/protocol-keys.js";
import type { Answer } from "../../host/bus/protocol.js";
import { nodeConfigSchema } from "../../host/node/config.js";
import { handmadeBundle, newKeys, type KeyPair } from "../../host/node/functions/testing.js";
import { echo, wasmModule } from "../../host/node/functions/testing-wasm.js";
import { startNode, type ComputingNode } from "../../host/node/node.js";
import type { Order } from "../../host/node/operations/operation.js";

const owner = newKeys();
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
let folder = "";
const running: ComputingNode[] = [];

async function start(id: string, trusts: readonly KeyPair[], neighbour?: string): Promise<ComputingNode> {
  const state = join(folder, id);
  const keys = join(state, "keys");
  mkdirSync(keys, { recursive: true });
  trusts.forEach(({ publicKey }, i) =>
    writeFileSync(join(keys, `${i}.pem`), publicKey.export({ type: "spki", format: "pem" })),
  );
  const config = nodeConfigSchema.parse({
    id,
    bus: { broker: { port: 0, anonymous: true } },
    management: { enabled: false },
    functions: { trustedKeys: keys },
    neighbours: neighbour === undefined ? [] : [{ id: "cloud", url: neighbour }],
  });
  const data = { kind: "local", path: join(state, "data") } as const;
  const token = join(state, "token");
  const node = await startNode(
    {
      config: { ...config, state, storage: data, management: { ...config.management, token } },
      folder,
      file: undefined,
    },
    { logTo: nowhere },
  );
  running.push(node);
  return node;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-migrate-"));
});
afterAll(async () => {
  for (const node of running.splice(0).reverse()) await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (node: ComputingNode, order: Order): Promise<Answer> =>
  node.core.submit({ deadlineMs: 20_000, ...order }, { sender: "operator" });

/** Larger than a message: a custom section of zeros behind the code. */
function bundleOf(name: string, key: KeyPair): Uint8Array {
  const size = 600_000;
  const length = [(size & 0x7f) | 0x80, ((size >> 7) & 0x7f) | 0x80, size >> 14];
  const section = Buffer.concat([Uint8Array.of(0, ...length, 1, 0x76), Buffer.alloc(size - 2)]);
  return handmadeBundle(Buffer.concat([wasmModule({ body: echo }), section]), key, { name });
}

it("moves a function to the node behind it, which serves the calls from then on; a refused one stays", async () => {
  const stranger = newKeys();
  const cloud = await start("cloud", [owner, stranger]);
  const url = cloud.addresses.find((address) => address.url.startsWith("mqtt:"))?.url;
  const edge = await start("edge", [owner], url);
  for (let i = 0; i < 500 && cloud.core.node("edge")?.online !== true; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const order = (name: string): Order => ({
    operation: "function.invoke",
    selector: { name },
    input: Uint8Array.of(1, 2, 3),
    inputDescriptor: { elementType: 1, shape: [3] },
  });
  const move = (name: string): Order => ({
    operation: "function.migrate",
    arguments: { function: name, to: "edge" },
  });
  /** Who answered with what. */
  const called = async (name: string): Promise<unknown[]> => {
    const answer = await ask(cloud, order(name));
    return [answer.error, answer.node, [...(answer.output ?? [])]];
  };
  for (const [name, key] of [
    ["moved", owner],
    ["kept", stranger],
  ] as const) {
    const deployed = await ask(cloud, { operation: "function.deploy", input: bundleOf(name, key) });
    expect(deployed.error).toBeUndefined();
  }
  expect(await called("moved")).toEqual([undefined, "cloud", [1, 2, 3]]);

  expect((await ask(cloud, move("moved"))).error).toBeUndefined();
  expect(edge.services.functions?.find("moved")).toBeDefined();
  expect(cloud.services.functions?.find("moved")).toBeUndefined();
  expect(await called("moved")).toEqual([undefined, "edge", [1, 2, 3]]);

  // The edge does not trust who signed this one.
  expect((await ask(cloud, move("kept"))).error).toMatchObject({ code: errorCodes.forbidden });
  expect(edge.services.functions?.find("kept")).toBeUndefined();
  expect(await called("kept")).toEqual([undefined, "cloud", [1, 2, 3]]);
});
