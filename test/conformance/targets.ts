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

export interface StartOptions {
  /** The node joins over mutual TLS, with an identity of its own: Zephyr targets only. */
  readonly tls: boolean;
}

/** Those that can be started with `tls`. */
export const tlsTargets: readonly string[] = ["native_sim", "mps2_an386"];

/** By the name that `--target` takes. Zephyr targets are loaded only when wanted: they look for a workspace. */
export const starters: ReadonlyMap<string, (options: StartOptions) => Promise<StartedTarget>> = new Map([
  ["host", () => startHost()],
  ["native_sim", (options: StartOptions) => onZephyr("native_sim", options)],
  ["mps2_an386", (options: StartOptions) => onZephyr("mps2_an386", options)],
  ["complete", () => startComplete()],
]);

/** What this machine lacks to start a target. */
export class TargetMissing extends Error {
  override readonly name = "TargetMissing";
}

async function onZephyr(board: string, options: StartOptions): Promise<StartedTarget> {
  const { startZephyr, whyNoZephyr } = await import("./zephyr-target.js");
  if (whyNoZephyr !== undefined) throw new TargetMissing(whyNoZephyr);
  return startZephyr(board, options);
}
