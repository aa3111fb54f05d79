/**
 * Boards that tmc knows only by a YAML file and a Kconfig fragment: two of its own, of other SoC families, and one of a project.
 * Builds images (minutes, the first time); runs none.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBoard, listBoards } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { checkBudget } from "../../compiler/board/memory-report.js";
import { callTmc } from "../support/tmc.js";
import {
  buildDefaultNode,
  buildImage,
  buildTimeout,
  imageFolder,
  noWorkspace,
  workspace,
} from "./support/zephyr-node.js";

/** Skipped by name where the workspace lacks the SoC's files (a trimmed HAL). */
function missingFor(series: string): string {
  if (workspace === undefined) return noWorkspace;
  const folder = join(workspace.top, "modules", "hal", "stm32", "stm32cube", series);
  return existsSync(folder) ? "" : ` (skipped: modules/hal/stm32 has no ${series})`;
}

describe.each([
  ["nucleo_f767zi", "stm32f7xx"],
  ["nucleo_h563zi", "stm32h5xx"],
] as const)("%s", (board, series) => {
  const missing = missingFor(series);
  it.skipIf(missing !== "")(
    `builds the default node within its budget${missing}`,
    async () => {
      const { image, report } = await buildDefaultNode(board);
      expect(image).toMatch(/zephyr\.elf$/);
      if (report === undefined) throw new Error("no report");
      checkBudget(report);
      expect(report.stacks.length).toBeGreaterThan(0);
    },
    buildTimeout,
  );
});

describe("a board of a project", () => {
  // Kept, as the images are: only the first run is slow.
  const folder = imageFolder("project");
  const boards = join(folder, "boards");

  function project(fragment: string): void {
    mkdirSync(boards, { recursive: true });
    const sim = readFileSync(packagePath("boards", "native_sim.yaml"), "utf8");
    writeFileSync(join(boards, "line3.yaml"), sim.replace("name: native_sim", "name: line3"));
    writeFileSync(join(boards, "line3.conf"), fragment);
  }

  it("is found by its file, before tmc's own, and listed with them", () => {
    project("");
    expect(findBoard("line3", { projectDir: folder }).file).toBe(join(boards, "line3.yaml"));
    expect(listBoards({ projectDir: folder })).toEqual(expect.arrayContaining(["line3", "nucleo_f767zi"]));
  });

  it.skipIf(noWorkspace !== "")(
    `builds with the fragment beside its file${noWorkspace}`,
    async () => {
      project("CONFIG_TMC_KEEPALIVE_S=33\n");
      const image = await buildImage(
        join(boards, "line3.yaml"),
        "line3",
        packagePath("test", "zephyr", "fixtures", "stand-in"),
      );
      expect(existsSync(image.executable)).toBe(true);
      const config = readFileSync(join(image.executable, "..", ".config"), "utf8");
      expect(config).toContain("CONFIG_TMC_KEEPALIVE_S=33");
    },
    buildTimeout,
  );

  it.skipIf(noWorkspace !== "")(`is told which module is missing${noWorkspace}`, async () => {
    project("");
    const file = join(boards, "line4.yaml");
    copyFileSync(join(boards, "line3.yaml"), file);
    writeFileSync(
      file,
      readFileSync(file, "utf8")
        .replace("name: line3", "name: line4")
        .replace("board: native_sim/native/64", "board: native_sim/native/64, modules: [hal/none]"),
    );
    const built = await callTmc([
      "build",
      packagePath("firmware", "app.ts"),
      "--board",
      file,
      "--out",
      join(folder, "line4"),
    ]);
    expect(built.exitCode).toBe(5);
    expect(built.stderr).toMatch(/TMC5004.*lacks modules\/hal\/none, which line4 needs/s);
  });
});
