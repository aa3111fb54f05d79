/** What zephyr-app/lts adds for Zephyr 3.7, and that it adds nothing with 4.x. It asks CMake only; no workspace, no build. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";

const noCmake = spawnSync("cmake", ["--version"]).status === 0 ? "" : " (skipped: cmake is not installed)";
const lts = packagePath("zephyr-app", "lts");

describe.skipIf(noCmake !== "")(`the Zephyr application with 3.7 LTS${noCmake}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "tmc-lts-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** BOARD_DIR and SOC_ROOT as CMake has them before it looks for Zephyr. */
  function configured(version: readonly [number, number], board: string): string {
    const script = join(folder, "ask.cmake");
    writeFileSync(join(folder, "VERSION"), `VERSION_MAJOR = ${version[0]}\nVERSION_MINOR = ${version[1]}\n`);
    writeFileSync(
      script,
      `include("${join(lts, "lts.cmake")}")\nmessage("\${BOARD_DIR}|\${SOC_ROOT}|\${EXTRA_CONF_FILE}")\n`,
    );
    const { stderr, status } = spawnSync("cmake", [`-DBOARD=${board}`, "-P", script], {
      env: { ...process.env, ZEPHYR_BASE: folder },
      encoding: "utf8",
    });
    expect(status).toBe(0);
    return stderr.trim();
  }

  it("brings the board mps2/an386, which the release has not", () => {
    const board = join(lts, "boards", "arm", "mps2");
    expect(configured([3, 7], "mps2/an386")).toBe(`${board}|${lts}|`);
    for (const file of ["board.yml", "mps2_an386.dts", "mps2_an386_defconfig"]) {
      expect(existsSync(join(board, file))).toBe(true);
    }
  });

  it.each([
    [[3, 7], "mps2/an385"],
    [[3, 7], "native_sim/native/64"],
    [[4, 1], "mps2/an386"],
    [[4, 3], "mps2/an386"],
  ] as const)("leaves Zephyr %j alone with %s", (version, board) => {
    expect(configured(version, board)).toBe("||");
  });
});
