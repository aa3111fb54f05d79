/** The default node as a Zephyr image: a process of this machine, or in QEMU. Building an image for the first time takes minutes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBoard } from "../../compiler/board/board.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { buildDefaultNode, noWorkspace } from "../zephyr/support/zephyr-node.js";
import { openBroker } from "../support/open-broker.js";
import type { StartedTarget } from "./targets.js";

/** Why images cannot be built here; undefined when they can. */
export const whyNoZephyr =
  noWorkspace === "" ? undefined : noWorkspace.replace(/^ \(skipped: (.*)\)$/s, "$1");

/** `executable`: an image that is there already. @throws UserError when it cannot be built or run */
export async function startZephyr(boardName: string, executable?: string): Promise<StartedTarget> {
  const image = executable ?? (await buildDefaultNode(boardName)).image;
  if (image === undefined) throw new Error(`no image for ${boardName}`);
  const folder = mkdtempSync(join(tmpdir(), "tmc-conformance-"));
  const broker = await openBroker();
  const start = (): Promise<ZephyrNode> =>
    runZephyr({
      board: findBoard(boardName),
      executable: image,
      id: "z1",
      server: broker.url,
      stateDir: folder,
      sensor: "accelerometer=generator:vibration-bearing",
    });
  let node = await start();
  return {
    name: boardName,
    under: {
      url: broker.url,
      server: "edge",
      node: "z1",
      kind: "minimal",
      controls: {
        restart: async () => {
          node.process.kill("SIGKILL");
          await node.ended;
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
