/**
 * A session in GDB on the emulated Cortex-M4, scripted: it breaks on a line of TypeScript, shows locals and a back-trace.
 * It needs gdb-multiarch with Python and qemu-system-arm.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { runProcess } from "../../compiler/board/processes.js";
import { runCommand } from "../../compiler/board/run.js";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";
import { callTmc } from "../support/tmc.js";

const python = spawnSync("gdb-multiarch", ["-nx", "-batch", "-ex", "python print(6 * 7)"], {
  encoding: "utf8",
});
const missing =
  python.error !== undefined
    ? "gdb-multiarch is not installed"
    : python.stdout.includes("42")
      ? ""
      : "gdb-multiarch has no Python";
const title = missing === "" ? "GDB on qemu_cortex_m4" : `GDB on qemu_cortex_m4 (skipped: ${missing})`;

describe.skipIf(missing !== "")(title, () => {
  let folder = "";
  const out = (program: string): string => join(folder, program);
  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-debug-")));
    for (const program of ["session", "values", "tasks"]) {
      const source = packagePath("test", "debug", "programs", `${program}.ts`);
      const built = await callTmc(
        ["build", source, "--board", "qemu_cortex_m4", "--debug", "--out", out(program)],
        folder,
      );
      expect(built.stderr).toBe("");
      expect(built.exitCode).toBe(0);
      expect(built.stdout).toContain("qemu-system-arm -machine mps2-an386 ");
      expect(built.stdout).toContain("-ex 'target remote 127.0.0.1:1234'");
    }
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts QEMU, halted, and gives what GDB printed for the commands. */
  async function session(commands: readonly string[], program = "session"): Promise<string> {
    const port = await freePort();
    const { command, args } = runCommand({
      board: findBoard("qemu_cortex_m4"),
      elf: join(out(program), "app.elf"),
    });
    const qemu = await Child.start(command, [...args, "-S", "-gdb", `tcp:127.0.0.1:${port}`], {
      name: "qemu",
    });
    try {
      const settings = [
        "set pagination off",
        "set width 0",
        "set tcp connect-timeout 30",
        "set style enabled off",
      ];
      const all = [...settings, `target remote 127.0.0.1:${port}`, ...commands, "kill"];
      const { stdout, stderr } = await runProcess(
        "gdb-multiarch",
        [
          "-nx",
          "-q",
          "-batch",
          "-x",
          join(out(program), "debug.gdb"),
          ...all.flatMap((line) => ["-ex", line]),
        ],
        { cwd: folder, timeoutMs: 60_000 },
      );
      return stdout.toString("utf8") + stderr.toString("utf8").replace(/^/gm, "stderr: ");
    } finally {
      await qemu.stop();
    }
  }

  it("breaks on a line of TypeScript, with source line, locals, arguments and objects", async () => {
    const text = await session([
      "break session.ts:12 if sample == 6",
      "continue",
      "info locals",
      "info args",
      "print filter",
      "next",
      "print filter.count",
    ]);
    expect(text).toMatch(
      /Breakpoint 1, Filter_push \(sample=6\) at .*session\.ts:12\n12\t {4}this\.count = this\.count \+ 1;/,
    );
    expect(text).toMatch(/^slot = 2\nold = 0\nsample = 6$/m);
    expect(text).toMatch(/\$1 = \{\s*sum = 9,\s*taps = \{0, 3, 6, 0\},\s*count = 2\s*\}/);
    expect(text).toMatch(/^13\t {4}return this\.sum \/ 4;\n\$2 = 3$/m);
  });

  it("prints a back-trace with the functions, arguments and lines of TypeScript", async () => {
    const text = await session(["tmc-break Filter.push", "continue", "backtrace", "up", "info locals"]);
    expect(text).toMatch(
      /^#0 +Filter\.push \(sample=0\) at .*session\.ts:8\n#1 .* in feed \(step=3, label="debug"\) at .*session\.ts:23\n#2 .* in main \(\) at .*session\.ts:30$/m,
    );
    expect(text).toMatch(/^sample = 0\ni = 0\nlast = 0$/m);
  });

  it("shows values of every kind as TypeScript has them, on the line that was asked for", async () => {
    const show = ["info args", "info locals", "print *node", "print *last", "print history", "print line"];
    const text = await session(["break values.ts:39", "continue", ...show, "backtrace 2"], "values");
    // The statement before it is many lines of C: they must not be taken for lines of TypeScript below it.
    expect(text).toMatch(/^Breakpoint 1, values_show \(.*\) at .*values\.ts:39\n39\t  return \($/m);
    expect(text).toMatch(/^samples = \(3\) \[-5, 6, 7\]\nlimit = null$/m);
    expect(text).toMatch(/^here = \{\s*x = 0\.25,\s*y = 100,\s*name = "here"\s*\}$/m);
    expect(text).toMatch(/^flag = true\ntext = "irst"$/m);
    expect(text).toMatch(/^total = 0\.25000000100000003\nlast = 0x[0-9a-f]+ <second>$/m);
    expect(text).toMatch(
      /^\$1 = \{\s*id = 1,\s*at = \{\s*x = 1,\s*y = -2,\s*name = "first"\s*\},\s*next = 0x[0-9a-f]+ <second>\s*\}$/m,
    );
    expect(text).toMatch(/^\$2 = \{\s*id = 2,[^$]*name = "second"\s*\},\s*next = null\s*\}$/m);
    expect(text).toMatch(/^\$3 = \{\s*capacity = 4,\s*length = 1,\s*slots = \{-5, 0, 0, 0\}\s*\}$/m);
    expect(text).toMatch(
      /^\$4 = \{\s*capacity = 8,\s*length = 3,\s*bytes = \{110, 61, 49, 0, 0, 0, 0, 0\}\s*\}$/m,
    );
    expect(text).toMatch(/^#0 +show \(node=.*\) at .*values\.ts:39\n#1 .* in main \(\) at .*values\.ts:51$/m);
  });

  it("shows an async function after a wait: who waits for it, its variables and those that its frame keeps", async () => {
    const commands = [
      "break tasks.ts:18 if value == 20",
      "continue",
      "backtrace 4",
      "info locals",
      "tmc-locals",
    ];
    const text = await session([...commands, "tmc-break Meter.read", "continue", "tmc-locals"], "tasks");
    expect(text).toMatch(/^18\t {4}sum = sum \+ value;$/m);
    expect(text).toMatch(
      /^#0 +average \(\) at .*tasks\.ts:18\n#1 .* in setup\.lambda1 \(\) at .*tasks\.ts:24\n#2 .* in Task\.step \(\)/m,
    );
    expect(text).toMatch(/^value = 20\nsamples = 3\nsum = 0\ni = 1\nvalue = 20$/m);
    expect(text).toMatch(/^channel = 2\nraw = 10$/m);
  });

  it("lists functions by their names, and says when there is none of a name", async () => {
    const text = await session(["tmc-functions", "tmc-break Nothing"]);
    expect(text).toMatch(/^Filter\.push +.*session\.ts:7 +Filter_push$/m);
    expect(text).toMatch(/^feed +.*session\.ts:19 +session_feed$/m);
    expect(text).toContain("no function Nothing in this program");
  });
});
