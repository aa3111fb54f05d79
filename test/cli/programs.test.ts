/** `tmc check`, `exec`, `build`, `run` as a user sees them: outputs, places, exit codes. The language has suites of its own. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { callTmc, runTmc, type TmcResult } from "../support/tmc.js";

const programs = {
  "sum.ts": `export function main(): void {
  let sum: u32 = 1;
  for (let i = 0; i < 10; i++) {
    sum = sum * 31 + u32(i);
  }
  log("sum", sum, f32(0.1), true);
}
`,
  "trap.ts": `const table = new Int32Array(4);
export function main(): void {
  log("before");
  let sum = 0;
  for (let i = 0; i <= 4; i++) {
    sum = sum + table[i];
  }
  log("after", sum);
}
`,
  "throw.ts": `export function main(): void {
  log("one");
  throw new Error("no more");
}
`,
  "overflow.ts": `export function main(): void {
  let x: i32 = 2147483647;
  x = x + 1;
  log(x);
}
`,
  "errors.ts": `export function main(): void {
  let x = 1;
  const y: f32 = 0.5;
  x = y;
  log(x / 2);
  if (x) {
    log("no");
  }
  unknownFunction(x);
}
`,
  "no-main.ts": "export const answer = 42;\n",
  "syntax.ts": "export function main(: void {\n",
  "notes.txt": "not a program\n",
};

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-cli-")));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), text);
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const tmc = (...args: string[]): Promise<TmcResult> => runTmc(args, { cwd: folder });
const call = (...args: string[]): Promise<TmcResult> => callTmc(args, folder);

describe("tmc check", () => {
  it("says nothing about a program without mistakes", async () => {
    expect(await tmc("check", "sum.ts", "trap.ts")).toEqual({ stdout: "", stderr: "", exitCode: 0 });
  });
  it("reports every mistake of a program full of them, each with place, code, line and mark", async () => {
    const { stdout, exitCode } = await call("check", "errors.ts");
    expect(exitCode).toBe(ExitCode.failed);
    for (const line of [4, 5, 6, 9]) {
      expect(stdout).toMatch(new RegExp(`^errors\\.ts:${line}:\\d+ - error TMC1\\d{3}: `, "m"));
    }
    expect(stdout).toContain("  4 |   x = y;\n    |       ^\n  fix: ");
    expect(stdout).toMatch(/\n\n4 errors\n$/);
  });
  it("reports all files in one go, also one with a syntax error", async () => {
    const { stdout, exitCode } = await call("check", "errors.ts", "syntax.ts", "sum.ts");
    expect(exitCode).toBe(ExitCode.failed);
    expect(stdout).toContain("errors.ts:4:");
    expect(stdout).toMatch(/^syntax\.ts:1:\d+ - error TMC1\d{3}: /m);
    expect(stdout).not.toContain("sum.ts:");
  });
  it("prints one document with --json", async () => {
    const { stdout, exitCode } = await call("check", "errors.ts", "--json");
    expect(exitCode).toBe(ExitCode.failed);
    const result = JSON.parse(stdout) as {
      ok: boolean;
      diagnostics: { file: string; line: number; code: string }[];
    };
    expect(result.ok).toBe(false);
    expect(result.diagnostics.map((d) => [d.file, d.line])).toContainEqual(["errors.ts", 5]);
  });
  it("explains every code that it printed", async () => {
    const { stdout } = await call("check", "errors.ts", "syntax.ts");
    for (const code of new Set(stdout.match(/TMC\d{4}/g))) {
      expect((await call("explain", code)).exitCode, code).toBe(0);
    }
  });
  it.each([
    [["check"], "TMC0003"],
    [["check", "gone.ts"], "TMC0010"],
    [["check", "notes.txt"], "TMC0011"],
    [["check", "."], "TMC0011"],
  ])("refuses tmc %j", async (args, code) => {
    const { stderr, exitCode } = await call(...args);
    expect(exitCode).toBe(ExitCode.usage);
    expect(stderr).toContain(`error ${code}: `);
  });
});

describe("tmc exec", () => {
  it("prints the output once when all targets agree", async () => {
    const { stdout, stderr, exitCode } = await tmc("exec", "sum.ts");
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout).toBe("sum 2663045830 0.10000000149011612 true\n");
  });
  it("counts the instructions of main on the Cortex-M4", async () => {
    const { stdout, stderr, exitCode } = await tmc("exec", "sum.ts", "--on", "qemu_cortex_m4", "--count");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("sum ");
    const count = Number(/^qemu_cortex_m4: (\d+) instructions in main$/m.exec(stderr)?.[1]);
    expect(count).toBeGreaterThan(20);
  });
  it("prints an uncaught trap's kind and place after the lines before it, exit code 2", async () => {
    const { stdout, stderr, exitCode } = await tmc("exec", "trap.ts");
    expect(exitCode).toBe(ExitCode.trap);
    expect(stdout).toBe("before\n");
    expect(stderr).toMatch(/^error TMC0051: trap index at trap\.ts:6:\d+\n$/);
  });
  it("prints the message of a throw", async () => {
    const { stdout, stderr, exitCode } = await tmc("exec", "throw.ts", "--on", "node,host");
    expect(exitCode).toBe(ExitCode.trap);
    expect(stdout).toBe("one\n");
    expect(stderr).toMatch(/trap throw at throw\.ts:3:\d+: no more/);
  });
  it("wraps without --checked, traps with it, on both sides", async () => {
    expect((await tmc("exec", "overflow.ts", "--on", "node,host")).stdout).toBe("-2147483648\n");
    const checked = await tmc("exec", "overflow.ts", "--on", "node,host", "--checked");
    expect(checked.exitCode).toBe(ExitCode.trap);
    expect(checked.stderr).toMatch(/trap overflow at overflow\.ts:3:\d+/);
  });
  it("gives everything in one document with --json", async () => {
    const { stdout, exitCode } = await tmc("exec", "trap.ts", "--on", "node,host", "--json");
    expect(exitCode).toBe(ExitCode.trap);
    expect(JSON.parse(stdout)).toMatchObject({
      agree: true,
      targets: [
        { target: "node", output: "before\n", trap: { kind: "index" } },
        { target: "host", output: "before\n", trap: { kind: "index" } },
      ],
    });
  });
  it("stops a main that does not end, on Node.js too, whatever it catches", async () => {
    writeFileSync(
      join(folder, "endless.ts"),
      'export function main(): void { let i = 0; for (;;) { try { i = (i + 1) & 7; } catch { log("no"); } } }\n',
    );
    const { stdout, stderr, exitCode } = await tmc(
      ...["exec", "endless.ts", "--on", "node", "--timeout", "0.5"],
    );
    expect(exitCode).toBe(ExitCode.failed);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error TMC4006: the program did not end within 0\.5 s on node\nfix: .*--timeout/);
  });
  it("reports mistakes and runs nothing", async () => {
    const { stdout, stderr, exitCode } = await call("exec", "errors.ts");
    expect(exitCode).toBe(ExitCode.failed);
    expect(stdout).toBe("");
    expect(stderr).toContain("errors.ts:5:");
  });
  it.each([
    [["exec"], ExitCode.usage, "TMC0003"],
    [["exec", "gone.ts"], ExitCode.usage, "TMC0010"],
    [["exec", "sum.ts", "--on", "nod"], ExitCode.usage, "Did you mean node?"],
    [["exec", "sum.ts", "--on", "node,node"], ExitCode.usage, "named twice"],
    [["exec", "sum.ts", "--on", ""], ExitCode.usage, "TMC0005"],
    [["exec", "sum.ts", "--on", "node", "--count"], ExitCode.usage, "TMC0005"],
    [["exec", "sum.ts", "--timeout", "soon"], ExitCode.usage, "TMC0005"],
    [["exec", "no-main.ts"], ExitCode.failed, "no-main.ts:1:1 - error "],
  ])("refuses tmc %j", async (args, code, text) => {
    const { stderr, exitCode } = await call(...args);
    expect(stderr).toContain(text);
    expect(exitCode).toBe(code);
  });
});

describe("tmc build and run", () => {
  it.each([
    [["build"], ExitCode.usage, "error TMC0003: required option '--board <board>' not specified"],
    [["build", "--board", "host"], ExitCode.usage, "error TMC0012: "],
    [["build", "gone.ts", "--board", "host"], ExitCode.usage, "error TMC0010: "],
    [["build", "sum.ts", "--board", "hots"], ExitCode.usage, "known boards: b_l4s5i_iot01a, host, "],
    [["build", "sum.ts", "--board", "host", "--emit", "elf"], ExitCode.usage, "error TMC0005: "],
    [["build", "no-main.ts", "--board", "host"], ExitCode.failed, "no-main.ts:1:1 - error TMC2008"],
    [["build", "sum.ts", "--board", "b_l4s5i_iot01a"], ExitCode.failed, "sum.ts:1:1 - error TMC2008"],
    [["run", "sum.ts", "--board", "qemu_cortex_m4"], ExitCode.usage, "error TMC0053: "],
    [["run", "sum.ts", "--board", "b_l4s5i_iot01a"], ExitCode.usage, "error TMC4005: "],
    [["run", "--board", "native_sim", "--update-key", "k.pem"], ExitCode.usage, "error TMC0054: "],
    [["run", "--board"], ExitCode.usage, "error TMC0003: "],
  ])("refuses tmc %j", async (args, code, text) => {
    const { stderr, exitCode } = await call(...args);
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/\n?\s*fix: /);
    expect(exitCode).toBe(code);
  });

  describe("the default app", () => {
    it("builds for host with a report within the budget", async () => {
      const out = join(folder, "out-host");
      const { stdout, stderr, exitCode } = await runTmc(["build", "--board", "host", "--out", out]);
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^Memory of host, from the linked image\nflash .* %\nRAM .* %\nstack .* %\n/);
      expect(existsSync(join(out, "app.elf"))).toBe(true);
      const sites = JSON.parse(readFileSync(join(out, "sites.json"), "utf8")) as {
        site: number;
        file: string;
      }[];
      expect(sites.length).toBeGreaterThan(10);
    });
    it("gives the report as one document with --json", async () => {
      const out = join(folder, "out-qemu");
      const { stdout, exitCode } = await runTmc([
        "build",
        "--board",
        "qemu_cortex_m4",
        "--out",
        out,
        "--json",
      ]);
      expect(exitCode).toBe(0);
      const result = JSON.parse(stdout) as {
        board: string;
        report: { flash: { used: number; budget: number } };
      };
      expect(result.board).toBe("qemu_cortex_m4");
      expect(result.report.flash.used).toBeGreaterThan(10_000);
      expect(result.report.flash.used).toBeLessThan(result.report.flash.budget);
    });
    it("gives the same C on two runs, and only C with --emit c", async () => {
      const [first, second] = [join(folder, "c-1"), join(folder, "c-2")];
      for (const out of [first, second]) {
        expect((await callTmc(["build", "--board", "host", "--emit", "c", "--out", out])).exitCode).toBe(0);
      }
      const read = (out: string): string => readFileSync(join(out, "gen", "app.c"), "utf8");
      expect(read(first)).toBe(read(second));
      expect(read(first)).toContain("#line ");
      expect(existsSync(join(first, "obj"))).toBe(false);
    });
    it("prints the typed tree with --emit ir", async () => {
      const out = join(folder, "ir");
      const { exitCode } = await callTmc(["build", "--board", "host", "--emit", "ir", "--out", out]);
      expect(exitCode).toBe(0);
      expect(readFileSync(join(out, "app.ir"), "utf8")).toContain("minimalNode");
    });
    it("without a Zephyr workspace: objects, report, one line that says what is missing, exit code 5", async () => {
      const out = join(folder, "out-board");
      const { stdout, stderr, exitCode } = await runTmc(
        ["build", "--board", "b_l4s5i_iot01a", "--out", out],
        {
          env: { ZEPHYR_BASE: "", PATH: "/usr/bin:/bin", XDG_DATA_HOME: folder },
        },
      );
      expect(exitCode).toBe(ExitCode.noWorkspace);
      expect(stdout).toContain("Memory of b_l4s5i_iot01a, from the compiled objects");
      expect(stderr).toMatch(/^error TMC5001: no Zephyr image: .*\nfix: .*tmc setup.*\n$/);
    });
    const budget = JSON.parse(
      readFileSync(packagePath("bench", "footprint", "budget.json"), "utf8"),
    ) as Record<"slack" | "flash" | "ram", number> & { compiler: string };
    const version = spawnSync("arm-none-eabi-gcc", ["-dumpversion"], { encoding: "utf8" }).stdout;
    const other = version.startsWith(budget.compiler) ? "" : ` (the figures are of gcc ${budget.compiler})`;
    it.skipIf(other !== "")(`has not grown: bench/footprint/budget.json${other}`, () => {
      const { flash, ram } = JSON.parse(
        readFileSync(join(folder, "out-board", "report.json"), "utf8"),
      ) as Record<"flash" | "ram", { used: number }>;
      expect(flash.used).toBeLessThanOrEqual(budget.flash + budget.slack);
      expect(ram.used).toBeLessThanOrEqual(budget.ram + budget.slack);
    });
  });
});
