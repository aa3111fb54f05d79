/** `tmc size` and `tmc decode` on builds of a small app, as a user calls them. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import type { TreeChange } from "../../compiler/board/memory-diff.js";
import type { MemoryNode, MemoryTree } from "../../compiler/board/memory-tree.js";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { callTmc, type TmcResult } from "../support/tmc.js";

const app = (length: number): string => `class Window {
  readonly samples = new Float32Array(${length});
  at = 0;
  add(x: f32): void {
    this.samples[this.at] = x;
    this.at = this.at + 1;
  }
}
const window = new Window();
entry("app_tick", (nowMs: u32): void => window.add(f32(nowMs & 7)));
`;

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-size-")));
  writeFileSync(join(folder, "app.ts"), app(64));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const call = (...args: string[]): Promise<TmcResult> => callTmc(args, folder);
const board = ["--board", "qemu_cortex_m4"];

function find(nodes: readonly MemoryNode[], ...path: string[]): MemoryNode | undefined {
  const [name, ...rest] = path;
  const node = nodes.find((n) => n.name === name);
  return rest.length === 0 ? node : find(node?.children ?? [], ...rest);
}

describe("tmc size", () => {
  let before: MemoryTree;
  beforeAll(async () => {
    const { stdout, stderr, exitCode } = await call("size", "app.ts", ...board, "--json");
    expect([stderr, exitCode]).toEqual(["", 0]);
    before = JSON.parse(stdout) as MemoryTree;
    writeFileSync(join(folder, "before.json"), stdout);
  });
  it("adds up to what arm-none-eabi-size says of the linked objects", () => {
    const elf = join(folder, "build", "qemu_cortex_m4", "measure.elf");
    const [text, data, bss] = (
      execFileSync("arm-none-eabi-size", [elf], { encoding: "utf8" }).split("\n")[1] ?? ""
    )
      .trim()
      .split(/\s+/)
      .map(Number);
    const sum = (pick: (n: MemoryNode) => number): number => before.children.reduce((n, c) => n + pick(c), 0);
    expect(sum((n) => n.flash)).toBe((text ?? 0) + (data ?? 0));
    expect(sum((n) => n.ram)).toBe((data ?? 0) + (bss ?? 0));
    expect([before.flash.used, before.ram.used]).toEqual([sum((n) => n.flash), sum((n) => n.ram)]);
  });
  it("attributes RAM to the object that has it, with its type, and stack to entries", () => {
    const objects = find(before.children, "objects");
    expect(objects?.ram).toBeGreaterThanOrEqual(64 * 4);
    expect(JSON.stringify(objects)).toContain('"Window"');
    expect(before.stacks.map((s) => s.entry)).toContain("tmc_app_tick");
  });
  it("prints the tree for people", async () => {
    const { stdout, exitCode } = await call("size", "app.ts", ...board);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Memory of qemu_cortex_m4, /);
    expect(stdout).toMatch(/^ +\d+ +\d+ {2}objects$/m);
  });
  it("--diff shows what a longer array costs, and nothing else", async () => {
    writeFileSync(join(folder, "app.ts"), app(100));
    const { stdout, exitCode } = await call("size", "app.ts", ...board, "--diff", "before.json", "--json");
    expect(exitCode).toBe(0);
    const change = JSON.parse(stdout) as TreeChange;
    expect(change.ram.after - change.ram.before).toBe(36 * 4);
    expect(change.children.find((c) => c.name === "objects")?.ram).toBe(36 * 4);
    const text = await call("size", "app.ts", ...board, "--diff", "before.json");
    expect(text.stdout).toContain("+144  objects\n");
  });
  it("measures a program, and fails above the stack's budget with the deepest path in TypeScript", async () => {
    writeFileSync(
      join(folder, "deep.ts"),
      [
        "function fill(n: i32): i32 {",
        "  const a = new Int32Array(200);",
        "  for (let i = 0; i < 200; i++) a[i] = i * n;",
        "  return a[n & 7];",
        "}",
        "export function main(): void { let s = 0; for (let i = 0; i < 3; i++) s += fill(i) + fill(s); log(s); }",
        "",
      ].join("\n"),
    );
    const fits = await call("size", "deep.ts", ...board, "--json");
    expect([fits.stderr, fits.exitCode]).toEqual(["", 0]);
    const whole = (JSON.parse(fits.stdout) as MemoryTree).stacks.find((s) => s.entry === "tmc_start");
    expect(whole?.gaps).toEqual([]);
    expect(whole?.bytes).toBeGreaterThan(800);
    const yaml = readFileSync(packagePath("boards", "qemu_cortex_m4.yaml"), "utf8");
    writeFileSync(
      join(folder, "tiny.yaml"),
      yaml.replace("name: qemu_cortex_m4", "name: tiny").replace("stack: 32K", "stack: 512"),
    );
    const { stderr, exitCode } = await call("size", "deep.ts", "--board", "./tiny.yaml");
    expect(exitCode).toBe(ExitCode.failed);
    expect(stderr).toMatch(
      /^error TMC4010: [^]*stack: \d+ bytes of 512 .*deepest path: .* → .*\(deep\.ts:\d\)/,
    );
  });
  it.each([
    [["size", "app.ts"], "TMC0003"],
    [["size", "app.ts", "--board", "hots"], "TMC4001"],
    [["size", "app.ts", ...board, "--depth", "0"], "TMC0005"],
    [["size", "app.ts", ...board, "--diff", "app.ts"], "TMC4014"],
    [["size", "app.ts", "--board", "host", "--diff", "before.json"], "TMC4014"],
  ])("refuses tmc %j", async (args, code) => {
    const { stderr, exitCode } = await call(...args);
    expect(stderr).toContain(`error ${code}: `);
    expect(exitCode).toBe(ExitCode.usage);
  });
});

describe("tmc decode", () => {
  const sites = ["--sites", "build/qemu_cortex_m4/sites.json"];
  beforeAll(async () => {
    expect((await call("build", "app.ts", ...board, "--emit", "c")).exitCode).toBe(0);
  });
  it("says where a site is", async () => {
    expect(await call("decode", "1", "0", ...sites)).toEqual({
      stdout: "1: index at app.ts:5:5\n0: a trap without a place\n",
      stderr: "",
      exitCode: 0,
    });
    expect(JSON.parse((await call("decode", "1", "--json", ...sites)).stdout)).toEqual([
      { site: 1, kind: "index", file: "app.ts", line: 5, col: 5 },
    ]);
  });
  it("decodes a log from stdin line by line", () => {
    const result = spawnSync(
      process.execPath,
      [
        ...["--import", import.meta.resolve("tsx"), packagePath("test", "support", "tmc-from-source.ts")],
        ...["decode", ...sites],
      ],
      { cwd: folder, input: "started\ntmc: trap index at site 1\nlast", encoding: "utf8" },
    );
    expect([result.stdout, result.stderr]).toEqual(["started\ntmc: trap index at app.ts:5:5\nlast\n", ""]);
  });
  it.each([
    [["decode", "1"], "TMC0003"],
    [["decode", "one", ...sites], "TMC0005"],
    [["decode", "9999", ...sites], "TMC0061"],
    [["decode", "1", "--sites", "app.ts"], "TMC0060"],
    [["decode", "--json", ...sites], "TMC0005"],
  ])("refuses tmc %j", async (args, code) => {
    const { stderr, exitCode } = await call(...args);
    expect(stderr).toContain(`error ${code}: `);
    expect(exitCode).toBe(ExitCode.usage);
  });
});
