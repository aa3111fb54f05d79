/**
 * `npm run bench:bus`: what routing costs. A request from a client through the server to a minimal node (compiled C, board
 * `host`) and back, against a bare MQTT echo through the same embedded broker, in turns; then the registry with 10 to
 * 10,000 nodes. `--json`: figures for machines; `--rounds N`: requests of each kind (default 3000).
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { connectAsync, type MqttClient } from "mqtt";
import { findBoard } from "../compiler/board/board.js";
import { packagePath } from "../compiler/board/package-root.js";
import { buildExecutable } from "../compiler/board/toolchain.js";
import { writeSources } from "../compiler/cli/write-sources.js";
import { compileProgram } from "../compiler/pipeline/compile.js";
import { encodeServerRequest } from "../host/bus/request-codec.js";
import { withoutDelay } from "../host/bus/no-delay.js";
import { AnswerReader } from "../host/node/core/envelope.js";
import { NodeProcess } from "../test/support/node-process.js";
import { measureRegistry } from "./bus-registry.js";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "3000" } },
});
const rounds = Number(values.rounds);
const workers = 4;
const answers = new AnswerReader(1024);
const inFlight = 64;

/** Sends, and resolves when the answer to it has come. */
interface Asker {
  ask(): Promise<void>;
}

async function buildPrograms(folder: string): Promise<{ node: string; echo: string }> {
  const result = compileProgram({
    entry: packagePath("firmware", "app.ts"),
    root: packagePath("."),
    checked: false,
    kind: "app",
  });
  if (!result.ok) throw new Error("firmware/app.ts does not compile");
  const written = writeSources(result.compiled, folder);
  const common = { board: findBoard("host"), port: "node", opt: "-O2" } as const;
  const node = await buildExecutable({
    ...common,
    sources: written.sources,
    includeDirs: [written.folder],
    outDir: folder,
    name: "node",
    kernels: true,
  });
  const echo = await buildExecutable({
    ...common,
    sources: [packagePath("bench", "bus-echo.c")],
    outDir: folder,
    name: "echo",
  });
  return { node: node.elf, echo: echo.elf };
}

/** A client that publishes to one topic and takes answers from another, in order of numbers in the payload. */
function asker(
  mqtt: MqttClient,
  topic: string,
  answers: string,
  numberOf: (payload: Buffer) => number | undefined,
): Asker {
  const waiting = new Map<number, () => void>();
  mqtt.on("message", (from, payload) => {
    if (from !== answers) return;
    const number = numberOf(payload);
    if (number === undefined) return;
    waiting.get(number)?.();
    waiting.delete(number);
  });
  let last = 0;
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, resolve);
        const order = { id, boot: 1, sender: "asker", operation: "node.monitor", deadlineMs: 5000 };
        mqtt.publish(topic, Buffer.from(encodeServerRequest(order)), { qos: 1 }, (error) => {
          if (error) reject(error);
        });
      }),
  };
}

async function latencies(one: Asker, count: number, into: number[]): Promise<void> {
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    await one.ask();
    into.push((performance.now() - from) * 1000);
  }
}

async function throughput(one: Asker, count: number): Promise<number> {
  const from = performance.now();
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await one.ask();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (count * 1000) / (performance.now() - from);
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;

async function measureRouting(folder: string) {
  const programs = await buildPrograms(folder);
  const server = spawn(
    process.execPath,
    [
      ...(process.env["TMC_BENCH_PROFILE"] === undefined
        ? []
        : ["--cpu-prof", "--cpu-prof-dir", process.env["TMC_BENCH_PROFILE"]]),
      "--import",
      "tsx",
      packagePath("bench", "bus-server.ts"),
    ],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const nodes: NodeProcess[] = [];
  try {
    const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
    const { port } = JSON.parse(line) as { port: number };
    const url = `mqtt://127.0.0.1:${port}`;
    const start = async (program: string, id: string, srv: string): Promise<void> => {
      const node = await NodeProcess.start({ program, id, url, server: srv, stateDir: join(folder, id) });
      nodes.push(node);
      await node.connected();
    };
    for (let i = 0; i < workers; i++) await start(programs.node, `n${i}`, "edge");
    await start(programs.echo, "echo", "bench");
    const options = { protocolVersion: 4 } as const;
    const client = await connectAsync(url, { ...options, clientId: "asker" });
    await client.subscribeAsync("t1/edge/asker/r", { qos: 1 });
    const bare = await connectAsync(url, { ...options, clientId: "bench", username: "bench", password: "x" });
    for (const one of [client, bare]) withoutDelay(one);
    await bare.subscribeAsync("t1/bench/echo/y", { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Both find their number with as little work: what the client does besides is not measured.
    const routed = asker(client, "t1/edge/q/asker", "t1/edge/asker/r", (payload) => {
      const answer = answers.read(payload);
      if (answer === undefined || answer.error !== 0) throw new Error(`an error: ${payload.toString("hex")}`);
      return answer.stage === 2 ? answer.id : undefined;
    });
    const echo = asker(bare, "t1/bench/echo/x", "t1/bench/echo/y", (payload) => numberIn(payload));
    const times = { echo: [] as number[], routed: [] as number[] };
    await latencies(echo, 500, []);
    await latencies(routed, 500, []);
    for (let i = 0; i < 20; i++) {
      await latencies(echo, Math.ceil(rounds / 20), times.echo);
      await latencies(routed, Math.ceil(rounds / 20), times.routed);
    }
    const throughputPerS = await throughput(routed, rounds * 2);
    const echoPerS = await throughput(echo, rounds * 2);
    await client.endAsync(true);
    await bare.endAsync(true);
    const sort = (list: number[]): number[] => list.sort((a, b) => a - b);
    return { echo: sort(times.echo), routed: sort(times.routed), throughputPerS, echoPerS };
  } finally {
    for (const node of nodes) await node.stop();
    server.stdin.end();
    await once(server, "exit");
  }
}

/** Key 1 of a request. */
function numberIn(payload: Buffer): number {
  const head = payload[4] ?? 0;
  return head < 24
    ? head
    : head === 24
      ? payload.readUInt8(5)
      : head === 25
        ? payload.readUInt16BE(5)
        : payload.readUInt32BE(5);
}

const folder = mkdtempSync(join(tmpdir(), "tmc-bench-bus-"));
try {
  const routing = await measureRouting(folder);
  const registry = [];
  for (const nodes of [10, 100, 1000, 10_000]) registry.push(await measureRegistry(nodes));
  const round = (x: number, digits = 0): number => Number(x.toFixed(digits));
  const echoP50Us = quantile(routing.echo, 0.5);
  const routedP50Us = quantile(routing.routed, 0.5);
  const figures = {
    echoP50Us: round(echoP50Us),
    routedP50Us: round(routedP50Us),
    routedP99Us: round(quantile(routing.routed, 0.99)),
    ratioP50: round(routedP50Us / echoP50Us, 3),
    throughputPerS: round(routing.throughputPerS),
    registry: registry.map((r) => ({ ...r, routeUs: round(r.routeUs, 2) })),
  };
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else {
    const lines = [
      "| what | p50 | p99 | per second |",
      "| --- | ---: | ---: | ---: |",
      `| MQTT echo | ${round(echoP50Us)} µs | ${round(quantile(routing.echo, 0.99))} µs | ${round(routing.echoPerS)} |`,
      `| routed request | ${figures.routedP50Us} µs | ${figures.routedP99Us} µs | ${figures.throughputPerS} |`,
      `| ratio | ${figures.ratioP50} | | |`,
      "",
      "| nodes | µs for routing a request and its answer | bytes a node |",
      "| ---: | ---: | ---: |",
      ...figures.registry.map((r) => `| ${r.nodes} | ${r.routeUs} | ${r.bytesPerNode} |`),
      "",
    ];
    process.stdout.write(lines.join("\n"));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
