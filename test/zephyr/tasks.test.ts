/** A node with tasks as a Zephyr image: tasks are woken when they are due, not at the next tick. No broker is needed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { runZephyr } from "../../compiler/board/zephyr/run.js";
import { buildApp } from "../../compiler/cli/build-app.js";
import { compileProgram } from "../../compiler/pipeline/compile.js";
import { buildTimeout, imageFolder, noWorkspace } from "./support/zephyr-node.js";

const boardName = "native_sim";

describe.skipIf(noWorkspace !== "")(`a node with tasks on ${boardName}${noWorkspace}`, () => {
  it(
    "sleeps to the millisecond",
    async () => {
      const entry = packagePath("test", "zephyr", "fixtures", "pacer.ts");
      const result = compileProgram({ entry, root: packagePath("."), checked: false, kind: "app" });
      if (!result.ok) throw new Error(result.diagnostics.map((d) => `${d.code} ${d.message}`).join("\n"));
      const board = findBoard(boardName);
      const { image } = await buildApp({
        board,
        compiled: result.compiled,
        outDir: imageFolder(`${boardName}-pacer`),
        zephyrDir: undefined,
        emit: "image",
        onProgress: () => undefined,
      });
      const stateDir = mkdtempSync(join(tmpdir(), "tmc-zephyr-pacer-"));
      // Nobody listens on the discard port.
      const server = "mqtt://127.0.0.1:9";
      const node = await runZephyr({ board, executable: image ?? "", id: "pacer", server, stateDir });
      try {
        const [, shortest, longest] = (await node.waitFor("slept")).split(" ").map(Number);
        expect(shortest).toBe(3);
        expect(longest).toBeLessThanOrEqual(1000);
      } finally {
        await node.stop();
        rmSync(stateDir, { recursive: true, force: true });
      }
    },
    buildTimeout,
  );
});
