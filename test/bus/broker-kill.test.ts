/**
 * kill -9 of the embedded broker under load, again and again: what it acknowledged is delivered to sessions that were
 * away or there, and retained messages are the last acknowledged ones or newer. `TMC_CRASH_ROUNDS`: how often.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";
import { waitFor } from "./connection-contract.js";

const rounds = Number(process.env["TMC_CRASH_ROUNDS"] ?? 3);
/** Acknowledged messages of a round before the kill. */
const enough = 40;
let folder = "";
let broker: Child | undefined;
const clients: MqttClient[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-killed-"));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true);
  await broker?.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

it("loses nothing that it acknowledged, however often it is killed", async () => {
  const program = join(folder, "broker.cjs");
  // One file starts in a tenth of a second, the sources in a whole one.
  await build({
    entryPoints: [packagePath("test", "bus", "broker-process.ts")],
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile: program,
    logLevel: "silent",
  });
  const port = await freePort();
  const start = async (): Promise<void> => {
    broker = await Child.start(process.execPath, [program, String(port), join(folder, "kept")]);
    await broker.waitForLine("ready");
  };
  const enter = async (clientId: string, options: IClientOptions = {}): Promise<MqttClient> => {
    const url = `mqtt://127.0.0.1:${port}`;
    const client = await connectAsync(url, { clientId, reconnectPeriod: 0, ...options });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  };
  const acknowledged = new Set<string>();
  const received = new Set<string>();
  const states = { n1: 0, n2: 0, n3: 0 };
  const reader = async (): Promise<MqttClient> => {
    const client = await enter("op", { clean: false, username: "op", password: "op" });
    client.on("message", (_, payload) => received.add(payload.toString()));
    return client;
  };
  let sent = 0;
  const publisher = async (id: keyof typeof states): Promise<void> => {
    const client = await enter(id);
    let live = true;
    client.on("close", () => {
      live = false;
      // What waits for its acknowledgement fails.
      client.end(true);
    });
    while (live) {
      const event = `${id} ${++sent}`;
      const state = sent;
      // An error: the connection ended first, and nothing was promised.
      const told = client
        .publishAsync(`t1/edge/${id}/e`, event, { qos: 1 })
        .then(() => acknowledged.add(event));
      const kept = client
        .publishAsync(`t1/edge/${id}/s`, `${state}`, { qos: 1, retain: true })
        .then(() => (states[id] = state));
      await Promise.all([told, kept]).catch(() => undefined);
    }
  };

  await start();
  const first = await reader();
  await first.subscribeAsync("t1/edge/+/e", { qos: 1 });
  first.end(true);
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 1) await reader();
    const before = acknowledged.size;
    const publishing = (["n1", "n2", "n3"] as const).map(publisher);
    await waitFor(() => acknowledged.size >= before + enough, "load", 10_000);
    await broker?.stop("SIGKILL");
    await Promise.all(publishing);
    await start();
  }
  await reader();
  const missing = (): string[] => [...acknowledged].filter((event) => !received.has(event));
  await waitFor(
    () => missing().length === 0,
    "what was acknowledged",
    10_000,
    () => missing().join(" "),
  );
  const watcher = await enter("op", { username: "op", password: "op" });
  const kept = new Map<string, number>();
  watcher.on("message", (topic, payload) => kept.set(topic, Number(payload.toString())));
  await watcher.subscribeAsync("t1/edge/+/s", { qos: 1 });
  await waitFor(() => kept.size === 3, "the retained states");
  for (const [id, state] of Object.entries(states)) {
    expect(kept.get(`t1/edge/${id}/s`)).toBeGreaterThanOrEqual(state);
  }
}, 60_000);
