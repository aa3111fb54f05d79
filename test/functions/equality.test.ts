/**
 * The same function on many inputs as a WebAssembly bundle, with and without a meter, on Node.js, in host C and on the
 * Cortex-M4: the same bytes, the same traps.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath, packageRoot } from "../../compiler/board/package-root.js";
import { decodeBundle } from "../../compiler/function/bundle.js";
import { bundleLimits, rowBytes } from "../../compiler/function/manifest.js";
import { inlineFuel } from "../../host/node/functions/inline-calls.js";
import { createInstance } from "../../host/node/functions/instance.js";
import { compileModule } from "../../host/node/functions/call-end.js";
import { metered } from "../../host/node/functions/meter.js";
import { bundleOf } from "../../host/node/functions/testing.js";
import { trapKinds } from "../../compiler/board/trap-line.js";
import {
  compileForEquality,
  missingFor,
  nodeOutcome,
  qemuTarget,
  runAlone,
  equalityTargets,
} from "../support/equality.js";

const functions = [
  ["examples/functions/vibration-rms.ts", "rms"],
  ["test/functions/programs/numbers.ts", "numbers"],
  ["test/functions/programs/guarded.ts", "guarded"],
  ["test/functions/programs/doubles.ts", "doubles"],
] as const;

const count = 60;
let work = "";
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "tmc-functions-"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Reproducible bytes. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 24;
  }
}

/** Cases of different lengths; one row is the first. */
function inputsFor(row: number, most: number): Uint8Array[] {
  const source = random(row * 1000 + most);
  return Array.from({ length: count }, (_, i) => {
    const rows = i === 0 ? 1 : 1 + (source.next().value % Math.min(most, 16));
    return Uint8Array.from({ length: rows * row }, () => source.next().value);
  });
}

const read = (module: string, name: string): string => `import { ${name} } from "${module}";\n`;

const calls = (name: string, row: number, assets: string): string => `
const ${name}Cases = assetBytes("${assets}");
function ${name}All(): void {
  let at = 0;
  while (at < ${name}Cases.length) {
    const size = ${name}Cases[at] * ${row};
    const input = ${name}Cases.subarray(at + 1, at + 1 + size);
    at += 1 + size;
    try {
      const bytes = ${name}.callTo(input, output);
      for (let i = 0; i < bytes; i++) log(output[i]);
    } catch (e) {
      log("trap", e.kind, e.message);
    }
    log("-");
  }
}
`;

/** What the bundle gives, a byte a line, and the cases in a file for the others. */
async function viaWasm(
  source: string,
  assets: string,
): Promise<{ readonly lines: string[]; readonly row: number }> {
  const bundle = decodeBundle(await bundleOf(source));
  const { input } = bundle.manifest;
  const row = rowBytes(input);
  const inputs = inputsFor(row, input.bytes / row);
  writeFileSync(assets, Buffer.concat(inputs.flatMap((i) => [Uint8Array.of(i.length / row), i])));
  const module = await compileModule(bundle);
  const limits = { outputBytes: bundleLimits.data, logBytes: 0 };
  const instance = createInstance(module, limits, () => undefined);
  const code = metered(bundle.code);
  if (code === undefined) throw new Error(`${source} is not metered`);
  const short = createInstance(await WebAssembly.compile(code), limits, () => undefined);
  const lines = inputs.map((bytes) => {
    const result = instance.call(bytes);
    expect(short.call(bytes, inlineFuel)).toEqual(result);
    if (result.end === "done") return [...result.output, "-\n"].join("\n");
    if (result.end === "fuel") throw new Error("not metered");
    return `trap ${trapKinds[result.kind] ?? ""} ${result.text}\n-\n`;
  });
  return { lines, row };
}

describe("functions", () => {
  it("give the same bytes and traps everywhere", { timeout: 120_000 }, async () => {
    const entry = packagePath("test", "functions", "programs", "driver.ts");
    let expected = "";
    let imports = "";
    let body = "const output = new Uint8Array(4096);\n";
    for (const [source, name] of functions) {
      const assets = join(work, `${name}.bin`);
      const { lines, row } = await viaWasm(source, assets);
      expect(new Set(lines).size, name).toBeGreaterThan(count / 3);
      expected += lines.join("");
      imports += read(`../../../${source.replace(/ts$/, "js")}`, name);
      body += calls(name, row, assets);
    }
    expect(expected).toContain("trap index");
    const main = `export function main(): void {\n${functions.map(([, name]) => `  ${name}All();\n`).join("")}}\n`;
    const compiled = compileForEquality(entry, {
      root: packageRoot(),
      checked: false,
      overlay: new Map([[entry, imports + body + main]]),
    });
    const program = { name: "functions", compiled };
    expect(nodeOutcome(program)).toBe(expected);
    for (const target of [...equalityTargets.filter((t) => t.name === "host gcc -O2"), qemuTarget]) {
      expect(missingFor(target)).toBeUndefined();
      const { text } = await runAlone(target, program, { folder: work });
      expect(text, target.name).toBe(expected);
    }
  });
});
