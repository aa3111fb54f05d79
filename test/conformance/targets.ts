/** Nodes that the kit starts itself, each beside an open broker of its own on a free port of the loopback interface. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildMinimalNode } from "../node/minimal-node.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { Child } from "../support/child.js";
import { openBroker } from "../support/open-broker.js";
import { NodeProcess } from "../support/node-process.js";
import type { NodeUnderTest } from "./kit.js";
import { playServer } from "./played-node.js";

export interface StartedTarget {
  readonly name: string;
  readonly under: NodeUnderTest;
  stop(): Promise<void>;
}

/** The default minimal node, compiled to C for this machine, with a simulated accelerometer. Builds for some ten seconds. */
export async function startHost(program?: string): Promise<StartedTarget> {
  const folder = mkdtempSync(join(tmpdir(), "tmc-conformance-"));
  const broker = await openBroker();
  const start = (): Promise<NodeProcess> =>
    NodeProcess.start({
      program: built,
      id: "n1",
      url: broker.url,
      server: "edge",
      stateDir: join(folder, "n1"),
      args: ["--sensor", "accelerometer=generator:vibration-bearing"],
    });
  const built = program ?? (await buildMinimalNode(folder));
  let node = await start();
  return {
    name: "host",
    under: {
      url: broker.url,
      server: "edge",
      node: "n1",
      kind: "minimal",
      controls: {
        restart: async () => {
          await node.stop("SIGKILL");
          node = await start();
        },
      },
    },
    async stop() {
      await node.stop();
      await broker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * `tmc node start` as a process of its own, on an open broker, with a sensor that a generator plays, small quotas, and a
 * neighbouring server that the kit plays on a second broker.
 */
export async function startComplete(): Promise<StartedTarget> {
  const folder = mkdtempSync(join(tmpdir(), "tmc-conformance-"));
  const broker = await openBroker();
  const nextBroker = await openBroker();
  const neighbour = await playServer(nextBroker.url, "kit-next", "edge");
  const limits = { inFlightPerNode: 2, queuePerNode: 2 };
  const file = join(folder, "node.yaml");
  const sensor = { name: "machine", channels: 3, rate: 100 };
  const config = {
    id: "edge",
    bus: { external: { url: broker.url } },
    neighbours: [{ id: "kit-next", url: nextBroker.url }],
    requests: limits,
    management: { enabled: false },
    log: { level: "warn" },
    connectors: [
      {
        kind: "replay",
        sensors: [
          {
            name: sensor.name,
            source: "generator:vibration-bearing",
            channels: ["x", "y", "z"],
            unit: "g",
            rate: sensor.rate,
          },
        ],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const start = async (): Promise<Child> => {
    const entry = packagePath("test", "support", "tmc-from-source.ts");
    const args = ["--import", import.meta.resolve("tsx"), entry, "node", "start", "--config", file];
    const child = await Child.start(process.execPath, args, { name: "tmc node start", cwd: packagePath() });
    await child.waitForLine("is running", 60_000);
    return child;
  };
  let child = await start();
  return {
    name: "complete",
    under: {
      url: broker.url,
      server: "edge",
      node: "edge",
      kind: "complete",
      limits,
      sensor,
      neighbour,
      controls: {
        restart: async () => {
          await child.stop("SIGKILL");
          child = await start();
        },
      },
    },
    async stop() {
      await child.stop();
      await neighbour.wire.close();
      await broker.close();
      await nextBroker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** By the name that `--target` takes. Zephyr targets are loaded only when wanted: they look for a workspace. */
export const starters: ReadonlyMap<string, () => Promise<StartedTarget>> = new Map([
  ["host", () => startHost()],
  ["native_sim", () => onZephyr("native_sim")],
  ["mps2_an386", () => onZephyr("mps2_an386")],
  ["complete", () => startComplete()],
]);

/** What this machine lacks to start a target. */
export class TargetMissing extends Error {
  override readonly name = "TargetMissing";
}

async function onZephyr(board: string): Promise<StartedTarget> {
  const { startZephyr, whyNoZephyr } = await import("./zephyr-target.js");
  if (whyNoZephyr !== undefined) throw new TargetMissing(whyNoZephyr);
  return startZephyr(board);
}
