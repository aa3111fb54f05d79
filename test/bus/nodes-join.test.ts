/** The posix port joins the embedded broker with what `tmc node enroll` hands out: password, or certificate. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { main } from "../../compiler/cli/main.js";
import type { Broker } from "../../host/node/broker/broker.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import { buildEchoNode, type EchoBuild } from "../node/echo-node.js";
import { Child } from "../support/child.js";
import { startTestBroker } from "../support/test-broker.js";
import { gather, waitFor } from "./connection-contract.js";

let build: EchoBuild;
let folder: string;
let store: IdentityStore;
let broker: Broker;
let before: string;
const children: Child[] = [];

beforeAll(async () => {
  build = await buildEchoNode("gcc", true);
  folder = mkdtempSync(join(tmpdir(), "tmc-join-"));
  before = process.cwd();
  process.chdir(folder);
  const written = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  // As a user does: no node.yaml, so the node's id is "edge" and its state is in ./tmc-node.
  expect(await main(["node", "enroll", "pump-1"])).toBe(0);
  process.stdout.write = written;
  store = await IdentityStore.open(join(folder, "tmc-node"), "edge");
  broker = await startTestBroker(
    { anonymous: false, tls: { port: 0 } },
    { identities: store, tls: await store.serverMaterial() },
  );
});
afterEach(async () => {
  for (const child of children.splice(0)) await child.stop();
});
afterAll(async () => {
  await broker.close();
  store.close();
  process.chdir(before);
  build.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function join1(...args: string[]): Promise<Child> {
  const state = ["--state-dir", join(folder, "state"), "--backoff", "10:50", "--log-level", "debug"];
  const child = await Child.start(build.program, ["--id", "pump-1", ...state, ...args]);
  children.push(child);
  return child;
}
const file = (name: string): string => join(folder, "pump-1", name);
const tls = (): string[] => [
  "--ca",
  file("ca.pem"),
  "--cert",
  file("pump-1.pem"),
  "--key",
  file("pump-1.key"),
];

it.each([
  ["password", () => [`mqtt://127.0.0.1:${broker.port}`, "--password-file", file("password")]],
  ["certificate", () => [`mqtts://localhost:${broker.tlsPort}`, ...tls()]],
] as const)("with its %s; what it says arrives, and its will when it ends", async (proof, args) => {
  const server = broker.connect();
  const heard = gather(server);
  await server.subscribe(["t1/edge/+/b", "t1/edge/+/s", "t1/edge/+/y"]);
  heard.messages.length = 0;
  const child = await join1("--server", ...args());
  await waitFor(
    () => broker.status().clients.length === 1,
    "the node",
    3000,
    () => `${child.text()} ${JSON.stringify(broker.status().refused)}`,
  );
  await waitFor(() => heard.messages.some((line) => line.includes("pump-1/b birth")), "the birth", 5000);
  expect(broker.status().clients).toMatchObject([{ id: "pump-1", proof }]);
  await server.publish("t1/edge/pump-1/x", Buffer.from("echo 3000"));
  await waitFor(() => heard.messages.some((line) => line.startsWith("t1/edge/pump-1/y")), "the answer", 5000);
  heard.messages.length = 0;
  await child.stop();
  await waitFor(() => heard.messages.some((line) => line.includes("pump-1/s offline")), "the will", 5000);
  await waitFor(() => broker.status().clients.length === 0, "the end");
  await server.close();
});

it("not without, and says why", async () => {
  const none = await join1("--server", `mqtt://127.0.0.1:${broker.port}`);
  await none.waitForLine(/no connection .*(user name or password|authori)/i);
  await none.stop();
  const bare = await join1("--server", `mqtts://localhost:${broker.tlsPort}`, "--ca", file("ca.pem"));
  await bare.waitForLine(/no connection/);
  await bare.stop();
  // The broker's certificate is not that of this "CA".
  const wrong = await join1(
    ...["--server", `mqtts://localhost:${broker.tlsPort}`, "--ca", file("pump-1.pem")],
    ...tls().slice(2),
  );
  await wrong.waitForLine(/no connection/);
  expect(broker.status().clients).toEqual([]);
});
