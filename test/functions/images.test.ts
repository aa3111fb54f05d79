/**
 * Function images on the emulated Cortex-M4, through the loader that nodes have: the bytes and the traps that Node.js
 * gives for the same source. And what `tmc function build --board` refuses.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asTrap, trapNumbers } from "../../compiler/backend-js/support.js";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath, packageRoot } from "../../compiler/board/package-root.js";
import { buildImage, type ImageBuild } from "../../compiler/function/build-image.js";
import { rowBytes } from "../../compiler/function/manifest.js";
import { callImages, type ImageCall } from "../../compiler/function/on-board.js";
import { missingFor, qemuTarget } from "../support/equality.js";

const cacheDir = packagePath("build", "equality-cache");
const board = findBoard("qemu_cortex_m4");

async function built(file: string, more: { readonly golden?: Uint8Array } = {}): Promise<ImageBuild> {
  const { build, diagnostics } = await buildImage({
    file,
    root: packageRoot(),
    checked: false,
    board,
    cacheDir,
    ...more,
  });
  if (build === undefined) throw new Error(JSON.stringify(diagnostics));
  return build;
}

/** Reproducible bytes of 1 to 16 rows. */
function inputsFor({ image }: ImageBuild, count: number): Uint8Array[] {
  let state = image.input.bytes;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const row = rowBytes(image.input);
  const most = Math.min(16, image.input.bytes / row);
  const rows = image.input.shape[0] === -1 ? () => 1 + random(most) : () => most;
  return Array.from({ length: count }, () => Uint8Array.from({ length: rows() * row }, () => random(256)));
}

type Expected = Pick<ImageCall, "kind" | "text" | "output"> & { readonly place: string };

function onNode(build: ImageBuild, input: Uint8Array): Expected {
  try {
    return { kind: 0, text: "", place: "", output: build.call(input).slice() };
  } catch (error) {
    const trap = asTrap(error);
    if (trap === undefined) throw error;
    return { kind: trapNumbers[trap.kind], text: trap.text, place: trap.where, output: new Uint8Array(0) };
  }
}

describe.skipIf(missingFor(qemuTarget) !== undefined)("function images", () => {
  it("give the bytes and traps of Node.js", { timeout: 120_000 }, async () => {
    const sources = ["numbers.ts", "guarded.ts", "doubles.ts"].map((f) => `test/functions/programs/${f}`);
    const builds: ImageBuild[] = [];
    for (const source of ["examples/functions/vibration-rms.ts", ...sources]) {
      builds.push(await built(packagePath(...source.split("/"))));
    }
    const runs = builds.map((build) => ({ image: build.bytes, inputs: inputsFor(build, 40) }));
    const results = await callImages(runs, { cacheDir, warningsAreErrors: true });
    results.forEach((result, r) => {
      const build = builds[r];
      if (build === undefined) return;
      expect(result).toMatchObject({ reason: 0, selfTest: true });
      const expected = runs[r]?.inputs.map((input) => onNode(build, input));
      const place = (site: number): string => (site === 0 ? "" : (build.sites[site - 1] ?? `site ${site}`));
      const found = result.calls.map((c): Expected => {
        return { kind: c.kind, text: c.text, place: place(c.site), output: c.output };
      });
      expect(found, build.image.name).toEqual(expected);
      expect(new Set(found.map((f) => f.output.join())).size).toBeGreaterThan(10);
    });
    expect(results.flatMap((r) => r.calls.map((c) => c.kind))).toContain(1);
  });

  it("log, throw, and begin every call anew", { timeout: 60_000 }, async () => {
    const file = packagePath("test", "functions", "programs", "talking.ts");
    const golden = Uint8Array.of(1, 0, 7, 0);
    const build = await built(file, { golden });
    // The same source is the same bytes.
    expect(Buffer.from((await built(file, { golden })).bytes).equals(build.bytes)).toBe(true);
    expect(build.image.imports).toEqual(["log"]);
    // A table of texts moved with the code, twice: each call is elsewhere than the one before.
    const inputs = [
      [2, 0],
      [1, 0, 9, 1],
      [255, 255],
      [3, 0],
      [0, 0],
    ].map((bytes) => Uint8Array.from(bytes));
    const damaged = build.bytes.slice();
    const last = damaged.lastIndexOf(7);
    damaged[last] = 8;
    const [result, other] = await callImages(
      [
        { image: build.bytes, inputs },
        { image: damaged, inputs: [] },
      ],
      { cacheDir, warningsAreErrors: true },
    );
    expect(result?.calls.map(({ kind, text, output }) => [kind, text, [...output]])).toEqual([
      [0, "", [2, 0, 1, 0]],
      [0, "", [9, 1, 1, 0]],
      [trapNumbers.throw, "negative", []],
      [trapNumbers.index, "", []],
      [0, "", [0, 0, 1, 0]],
    ]);
    expect(result?.log).toBe("two 1 1 0.25\none 2 1 0.125\nzero 1 1 0\n");
    // Its golden output is another: accepted, and not switched to.
    expect(other).toMatchObject({ reason: 0, selfTest: false });
  });
});

describe("tmc function build --board refuses", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-images-test-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const source = (run: string, most = 8): string => `
import { F32Values, NodeFunction, clockMs } from "tmc";
export const probe = new NodeFunction({
  name: "probe", version: "1",
  input: new F32Values([-1], { most: ${most} }),
  output: new F32Values([1]),
  run: (input: Float32Array, output: Float32Array): i32 => { ${run} return 1; },
});
`;
  async function codeOf(text: string, boardName = "qemu_cortex_m4", golden?: Uint8Array): Promise<string> {
    const file = join(folder, "probe.ts");
    writeFileSync(file, text);
    return buildImage({
      file,
      root: folder,
      checked: false,
      board: findBoard(boardName),
      cacheDir,
      ...(golden === undefined ? {} : { golden }),
    }).then(
      () => "",
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  it("boards without slots, the clock, bad self-tests, and what a slot cannot hold", async () => {
    const fine = "output[0] = input[0];";
    expect(await codeOf(source(fine), "native_sim")).toContain("board native_sim runs no function images");
    expect(await codeOf(source(fine), "host")).toContain("board host runs no function images");
    expect(await codeOf(source("output[0] = f32(clockMs());"))).toContain("tmc_port_clock_ms");
    const golden = await codeOf(source(fine), "qemu_cortex_m4", Uint8Array.of(1, 2, 3));
    expect(golden).toContain(
      "the self-test's input has 3 bytes; the function takes f32 [-1], at most 8 rows",
    );
    expect(await codeOf(source("assert(input.length < 3);"))).toContain(
      "ends in a trap (assert) at probe.ts:7:",
    );
  });

  it.skipIf(missingFor(qemuTarget) !== undefined)("too much RAM", { timeout: 30_000 }, async () => {
    const message = await codeOf(source("output[0] = input[0];", 5000));
    expect(message).toMatch(/does not fit a slot of qemu_cortex_m4: RAM: 20\d\d\d bytes of 16384$/);
  });
});
