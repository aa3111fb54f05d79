/** Nodes and servers on a broker with the documented limits of AWS IoT Core and the policies that `tmc node policy` makes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MqttConnection } from "../../host/bus/mqtt-connection.js";
import { awsPolicy } from "../../host/node/broker/policy.js";
import { nodeConfigSchema } from "../../host/node/config.js";
import { startNode, type ComputingNode } from "../../host/node/node.js";
import { AwsLikeBroker, type Policy } from "../support/aws-like-broker.js";
import { bytes, gather, waitFor } from "./connection-contract.js";

const policies = awsPolicy("edge") as { readonly node: Policy; readonly server: Policy };
const policyOf = (id: string): Policy | undefined =>
  id === "edge" ? policies.server : /^n\d$/.test(id) ? policies.node : undefined;

let broker: AwsLikeBroker;
let folder = "";
const stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tmc-aws-"));
  broker = await AwsLikeBroker.start({ policyOf });
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

function open(clientId: string, messagesPerSecond?: number): MqttConnection {
  const connection = MqttConnection.open({
    url: broker.url,
    clientId,
    backoffMs: [10, 50],
    ...(messagesPerSecond === undefined ? {} : { messagesPerSecond }),
  });
  stops.push(() => connection.close());
  return connection;
}

async function start(id: string, more: object): Promise<ComputingNode> {
  const state = join(folder, id);
  const config = nodeConfigSchema.parse({
    id,
    state,
    management: { enabled: false },
    functions: { enabled: false },
    storage: { kind: "local", path: join(state, "data") },
    ...more,
  });
  const logTo = new Writable({ write: (_chunk, _encoding, done) => done() });
  const node = await startNode({ config, folder, file: undefined }, { logTo });
  stops.push(() => node.stop());
  return node;
}

describe("the limits and policies of AWS IoT Core", () => {
  it("let a server and a node that joined it work, with content that is larger than a message", async () => {
    const edge = await start("edge", {
      bus: { external: { url: broker.url, messagesPerSecond: 80 } },
    });
    await start("n1", {
      bus: { broker: { port: 0, quotas: { messageBytes: 128 * 1024 } } },
      neighbours: [{ id: "edge", url: broker.url }],
    });
    await waitFor(() => edge.core.nodes().some((node) => node.node === "n1" && node.online), "n1", 5000);
    const input = new Uint8Array(Float32Array.from({ length: 75_000 }, (_, i) => i).buffer);
    const stored = await edge.core.submit(
      {
        operation: "data.store",
        selector: { node: "n1" },
        arguments: { name: "run", label: "a" },
        input,
        inputDescriptor: { elementType: 6, shape: [75_000] },
      },
      { sender: "operator" },
    );
    expect(stored.error).toBeUndefined();
    expect(stored.node).toBe("n1");
    expect(broker.violations).toEqual([]);
    expect(broker.largest).toBeGreaterThan(100_000);
    expect(broker.largest).toBeLessThanOrEqual(128 * 1024);
  });

  it("let a node do what is its own and nothing else", async () => {
    const [server, one, two] = [open("edge"), open("n1"), open("n2")];
    const [atServer, atOne] = [gather(server), gather(one)];
    await server.subscribe(["t1/edge/q/+", ...["y", "b", "s", "e", "c"].map((kind) => `t1/edge/+/${kind}`)]);
    await one.subscribe(["t1/edge/n1/r", "t1/edge/n1/x", "t1/edge/n1/c"]);
    await Promise.all([server, one, two].map((each) => each.ready(3000)));
    await one.publish("t1/edge/q/n1", bytes("request"));
    await one.publish("t1/edge/n1/b", bytes("birth"), { retain: true });
    await server.publish("t1/edge/n1/x", bytes("work"));
    expect(await atServer.until(2)).toEqual(["t1/edge/q/n1 request", "t1/edge/n1/b birth"]);
    expect(await atOne.until(1)).toEqual(["t1/edge/n1/x work"]);
    expect(broker.violations).toEqual([]);
    for (const [topic, retain] of [
      ["t1/edge/q/n1", false],
      ["t1/edge/n1/y", false],
      ["t1/edge/n2/x", false],
      ["t1/edge/n2/e", true],
      ["t1/other/q/n2", false],
    ] as const) {
      await expect(two.publish(topic, bytes("not mine"), { retain }), topic).rejects.toThrow(topic);
    }
    for (const filter of ["t1/edge/n1/x", "t1/edge/+/x", "t1/edge/#", "#"]) {
      expect(broker.allows("n2", "iot:Subscribe", `topicfilter/${filter}`), filter).toBe(false);
    }
    expect(broker.allows("n2", "iot:Connect", "client/n1")).toBe(false);
    for (const [attributes, thing, may] of [
      [[], "n2", true],
      [["LastWill"], "n2", true],
      [["LastWill", "PersistentConnect"], "n2", false],
      [[], "n1", false],
    ] as const) {
      expect(broker.allows("n2", "iot:Connect", "client/n2", attributes, thing)).toBe(may);
    }
    expect(broker.allows("edge", "iot:Publish", "topic/t1/other/n1/x")).toBe(false);
  });

  it("a connection keeps to a rate below, and subscribes in pieces", async () => {
    const server = open("edge", 80);
    const heard = gather(server);
    await server.ready(3000);
    await server.subscribe(Array.from({ length: 20 }, (_, i) => `t1/edge/n${i}/c`));
    const sent = Array.from({ length: 110 }, (_, i) => server.publish(`t1/edge/n${i % 20}/c`, bytes(`${i}`)));
    await Promise.all(sent);
    await heard.until(110);
    expect(broker.violations).toEqual([]);
  });

  it("and a faster one is disconnected: the imitation can tell", async () => {
    const server = open("edge");
    await server.ready(3000);
    await Promise.allSettled(Array.from({ length: 130 }, () => server.publish("t1/edge/n1/c", bytes("x"))));
    expect(broker.violations[0]).toContain("more than 100 messages in a second");
  });
});
