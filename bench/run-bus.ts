/**
 * `npm run bench:bus`: what routing costs. A request from a client through the server to a minimal node (compiled C, board
 * `host`) and back, against a bare MQTT echo through the same embedded broker, in turns; then the registry with 10 to
 * 10,000 nodes. The request is brief, so that it is answered by one message as the echo is; one that gets both
 * acknowledgements is told besides. `--json`: figures for machines; `--rounds N`: requests of each kind (default 3000).
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { connectAsync, type MqttClient } from "mqtt";
import { findBoard } from "../compiler/board/board.js";
import { packagePath } from "../compiler/board/package-root.js";
import { buildExecutable } from "../compiler/board/toolchain.js";
import { writeSources } from "../compiler/cli/write-sources.js";
import { compileProgram } from "../compiler/pipeline/compile.js";
import { encodeServerRequest } from "../host/bus/request-codec.js";
import { answerKeys, stages } from "../host/bus/protocol-keys.js";
import { withoutDelay } from "../host/bus/no-delay.js";
import { NodeProcess } from "../test/support/node-process.js";
import { measureRegistry } from "./bus-registry.js";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "3000" } },
});
const rounds = Number(values.rounds);
const workers = 4;
/** Of every sender here. */
const nameBytes = 5;
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

/**
 * A client that publishes to one topic and takes answers from another, by numbers in the payload. `brief`: it asks for one
 * answer, else for both acknowledgements.
 */
function asker(
  mqtt: MqttClient,
  topic: string,
  answers: string,
  numberOf: (payload: Buffer) => number | undefined,
  brief: boolean,
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
        const order = {
          id,
          boot: 1,
          sender: mqtt.options.clientId ?? "",
          operation: "node.monitor",
          deadlineMs: 5000,
          brief,
        };
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

const kinds = ["echo", "routed", "twice"] as const;
type Kind = (typeof kinds)[number];

interface Measured {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly perS: number;
}

/** Compiled beforehand, as users have it: the loader of sources wraps every function that is made while it runs. */
async function bundleServer(): Promise<string> {
  // Within the package: it finds its own files by walking up.
  mkdirSync(packagePath("build"), { recursive: true });
  const folder = mkdtempSync(packagePath("build", "bench-bus-"));
  await build({
    entryPoints: [packagePath("bench", "bus-server.ts")],
    outfile: join(folder, "server.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
  return folder;
}

async function measureRouting(folder: string): Promise<Record<Kind, Measured>> {
  const programs = await buildPrograms(folder);
  const bundled = await bundleServer();
  const server = spawn(
    process.execPath,
    [
      ...(process.env["TMC_BENCH_PROFILE"] === undefined
        ? []
        : ["--cpu-prof", "--cpu-prof-dir", process.env["TMC_BENCH_PROFILE"]]),
      join(bundled, "server.mjs"),
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
    const clients: MqttClient[] = [];
    const connect = async (clientId: string, answersOn: string, login = {}): Promise<MqttClient> => {
      const client = await connectAsync(url, { protocolVersion: 4, clientId, ...login });
      clients.push(client);
      withoutDelay(client);
      await client.subscribeAsync(answersOn, { qos: 1 });
      return client;
    };
    const bare = await connect("bench", "t1/bench/echo/y", { username: "bench", password: "x" });
    const echo = asker(bare, "t1/bench/echo/x", "t1/bench/echo/y", numberIn, true);
    const routing = async (id: string, brief: boolean): Promise<Asker> => {
      const topic = `t1/edge/${id}/r`;
      return asker(await connect(id, topic), `t1/edge/q/${id}`, topic, finishedIn, brief);
    };
    const askers = { echo, routed: await routing("asker", true), twice: await routing("again", false) };
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Until the engine has compiled what is used all the time, the client's part too.
    for (const one of Object.values(askers)) await throughput(one, 5 * rounds);
    const times = { echo: [] as number[], routed: [] as number[], twice: [] as number[] };
    for (let i = 0; i < 20; i++) {
      for (const kind of kinds) await latencies(askers[kind], Math.ceil(rounds / 20), times[kind]);
    }
    const measured = {} as Record<Kind, Measured>;
    for (const kind of kinds) {
      const sorted = times[kind].sort((a, b) => a - b);
      measured[kind] = {
        p50Us: quantile(sorted, 0.5),
        p99Us: quantile(sorted, 0.99),
        perS: await throughput(askers[kind], rounds * 2),
      };
    }
    for (const client of clients) await client.endAsync(true);
    return measured;
  } finally {
    for (const node of nodes) await node.stop();
    server.stdin.end();
    await once(server, "exit");
    rmSync(bundled, { recursive: true });
  }
}

// What the client does with the answers is not measured: both find their number by the place where it stands.

const numberAt = 4;

/** Key 1 of a request or an answer. */
function numberIn(payload: Buffer): number {
  const head = payload[numberAt] ?? 0;
  if (head < 24) return head;
  if (head === 24) return payload.readUInt8(numberAt + 1);
  return head === 25 ? payload.readUInt16BE(numberAt + 1) : payload.readUInt32BE(numberAt + 1);
}

/** The number of the request that is done; undefined for an acknowledgement. @throws Error for anything but a success */
function finishedIn(payload: Buffer): number | undefined {
  const head = payload[numberAt] ?? 0;
  // Boot 1, the sender's name, then key 4 with the stage, key 5 with the node's name; of a success the result follows.
  const stageAt = numberAt + (head < 24 ? 1 : 1 + (1 << (head - 24))) + 4 + nameBytes + 1;
  const stage = payload[stageAt];
  if (stage === stages.accepted) return undefined;
  if (stage !== stages.done || payload[stageAt + 5] !== answerKeys.result) {
    throw new Error(`no success: ${payload.toString("hex")}`);
  }
  return numberIn(payload);
}

const folder = mkdtempSync(join(tmpdir(), "tmc-bench-bus-"));
try {
  const routing = await measureRouting(folder);
  const registry = [];
  for (const nodes of [10, 100, 1000, 10_000]) registry.push(await measureRegistry(nodes));
  const round = (x: number, digits = 0): number => Number(x.toFixed(digits));
  const { echo, routed, twice } = routing;
  const figures = {
    echoP50Us: round(echo.p50Us),
    routedP50Us: round(routed.p50Us),
    routedP99Us: round(routed.p99Us),
    ratioP50: round(routed.p50Us / echo.p50Us, 3),
    throughputPerS: round(routed.perS),
    registry: registry.map((r) => ({ ...r, routeUs: round(r.routeUs, 2) })),
  };
  const row = (what: string, m: Measured): string =>
    `| ${what} | ${round(m.p50Us)} µs | ${round(m.p99Us)} µs | ${round(m.p50Us / echo.p50Us, 2)} | ${round(m.perS)} |`;
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else {
    const lines = [
      "| what | p50 | p99 | ratio of p50 | per second |",
      "| --- | ---: | ---: | ---: | ---: |",
      row("MQTT echo", echo),
      row("routed request", routed),
      row("routed request, both acknowledgements", twice),
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
