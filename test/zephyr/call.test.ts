/**
 * A stock Zephyr application with its own main() takes TypeScript in through tmc's module: examples/call-zephyr, built for Linux, QEMU and
 * a board, and run on the first two.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { Child } from "../support/child.js";
import { callTmc } from "../support/tmc.js";
import { buildImage, buildTimeout, imageFolder, noWorkspace } from "./support/zephyr-node.js";

/** The readings and the TypeScript are those of examples/call-c. */
const expected = [
  "0 mV",
  "403 mV",
  "806 mV",
  "1209 mV",
  "left is clipped",
  "2034 mV",
  "left is good",
  "2638 mV",
  "trap 1",
  "6 mV",
  "done",
];

const qemu = ["-machine", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "stdio", "-vga", "none"];

describe.skipIf(noWorkspace !== "")(`examples/call-zephyr${noWorkspace}`, () => {
  // Kept, as the images are: only the first run is slow.
  const folder = imageFolder("call-gen");
  beforeAll(async () => {
    const source = packagePath("examples", "call-c", "filter.ts");
    const built = await callTmc(["build", source, "--board", "host", "--emit", "c", "--out", folder]);
    expect(built.exitCode).toBe(0);
  });

  it.each([
    ["native_sim", (image: string) => [image]],
    ["mps2_an386", (image: string) => ["qemu-system-arm", ...qemu, "-kernel", image]],
  ] as const)(
    "runs on %s",
    async (board, commandFor) => {
      const image = await buildImage(board, "call", join(folder, "gen"), {
        sourceDir: packagePath("examples", "call-zephyr"),
      });
      const [command = "", ...args] = commandFor(image.executable);
      const child = await Child.start(command, args, { name: board });
      try {
        await child.waitForLine("done", 60_000);
      } finally {
        await child.stop();
      }
      const printed = child.lines.map(({ text }) => text.trim());
      // Zephyr's banner, and what is said when the process is ended.
      expect(printed.filter((line) => line !== "" && !/^\*\*\*|^qemu-|^Stopped at/.test(line))).toEqual(
        expected,
      );
    },
    buildTimeout,
  );

  it(
    "builds for b_l4s5i_iot01a, and has in it what sources.txt lists and no more",
    async () => {
      const image = await buildImage("b_l4s5i_iot01a", "call", join(folder, "gen"), {
        sourceDir: packagePath("examples", "call-zephyr"),
      });
      const map = readFileSync(image.map, "utf8");
      const archived = new Set(map.match(/libtmc_functions\.a\(([\w.-]+)\)/g));
      const listed = readFileSync(join(folder, "gen", "sources.txt"), "utf8")
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => `libtmc_functions.a(${line.slice(line.lastIndexOf("/") + 1)}.obj)`);
      expect([...archived].sort()).toEqual(listed.sort());
    },
    buildTimeout,
  );
});
