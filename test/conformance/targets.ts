/** The nodes that the kit starts itself, by their names; the default minimal node on this machine. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildMinimalNode } from "../node/minimal-node.js";
import { openBroker } from "../support/open-broker.js";
import { NodeProcess } from "../support/node-process.js";
import { startComplete } from "./complete-target.js";
import type { NodeUnderTest } from "./kit.js";

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
