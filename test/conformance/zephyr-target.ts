/** The default node as a Zephyr image: a process of this machine, or in QEMU. Building an image for the first time takes minutes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBoard } from "../../compiler/board/board.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { buildDefaultNode, noWorkspace } from "../zephyr/support/zephyr-node.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import { openBroker } from "../support/open-broker.js";
import { hostSeenFrom, provisionNode } from "../zephyr/support/provision-node.js";
import type { StartedTarget } from "./targets.js";

/** Why images cannot be built here; undefined when they can. */
export const whyNoZephyr =
  noWorkspace === "" ? undefined : noWorkspace.replace(/^ \(skipped: (.*)\)$/s, "$1");

export interface ZephyrTargetOptions {
  /** An image that is there already. */
  readonly executable?: string;
  /**
   * The node is provisioned over its serial console, its key made on the device, and reaches the broker over mutual TLS
   * only. The kit itself stays on the broker's plain port.
   */
  readonly tls?: boolean;
}

/** @throws UserError when the image cannot be built or run */
export async function startZephyr(
  boardName: string,
  { executable, tls = false }: ZephyrTargetOptions = {},
): Promise<StartedTarget> {
  const image = executable ?? (await buildDefaultNode(boardName)).image;
  if (image === undefined) throw new Error(`no image for ${boardName}`);
  const folder = mkdtempSync(join(tmpdir(), "tmc-conformance-"));
  const board = findBoard(boardName);
  const host = hostSeenFrom(board);
  const store = tls ? await IdentityStore.open(join(folder, "server"), "edge") : undefined;
  const broker = await openBroker(store === undefined ? {} : { tls: await store.serverMaterial([host]) });
  const start = (): Promise<ZephyrNode> =>
    runZephyr({
      board,
      executable: image,
      ...(tls ? {} : { id: "z1", server: broker.url }),
      stateDir: join(folder, "device"),
      sensor: "accelerometer=generator:vibration-bearing",
    });
  let node = await start();
  if (store !== undefined) {
    await provisionNode(node, store, { id: "z1", servers: `mqtts://${host}:${broker.tlsPort}` });
  }
  return {
    name: tls ? `${boardName} (mutual TLS)` : boardName,
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
