/** examples/call-c: TypeScript and C in one program, as its README builds it; and the header that C includes. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { runProcess } from "../../compiler/board/processes.js";
import { callTmc } from "../support/tmc.js";

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-call-c-")));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Emits C for the source into `folder/name`. */
async function emit(source: string, name: string): Promise<string> {
  const out = join(folder, name);
  const built = await callTmc(["build", source, "--board", "host", "--emit", "c", "--out", out], folder);
  expect([built.stderr, built.exitCode]).toEqual(["", 0]);
  return join(out, "gen");
}

const warnings = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"];

async function gcc(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess("gcc", [
    ...warnings,
    `-I${packagePath("runtime-c", "include")}`,
    ...args,
  ]);
  expect(stderr.toString("utf8")).toBe("");
  expect(exitCode).toBe(0);
}

describe("examples/call-c", () => {
  it("C calls the entries, TypeScript calls C, a trap ends only the call", async () => {
    const gen = await emit(packagePath("examples", "call-c", "filter.ts"), "example");
    const sources = readFileSync(join(gen, "sources.txt"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => (line.startsWith("/") ? line : join(gen, line)));
    const program = join(folder, "call-c");
    await gcc(
      ...[
        "-O2",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        `-I${gen}`,
        "-o",
        program,
      ],
      ...sources,
      packagePath("examples", "call-c", "main.c"),
      "-lm",
    );
    const { stdout, exitCode } = await runProcess(program, []);
    expect(stdout.toString("utf8").split("\n")).toEqual([
      "0.000 V",
      "0.403 V",
      "0.806 V",
      "1.209 V",
      "left is clipped",
      "2.034 V",
      "left is good",
      "2.638 V",
      "checksum 253",
      "channel 5: trap 1",
      "",
    ]);
    expect(exitCode).toBe(0);
  });
  it("has documentation and types in its header", async () => {
    const header = readFileSync(
      join(await emit(packagePath("examples", "call-c", "filter.ts"), "doc"), "filter.h"),
      "utf8",
    );
    expect(header).toContain(
      " * Reads `channel` once and gives the mean of its last four readings, in volts.",
    );
    expect(header).toMatch(/ \* TypeScript: filterStep\(channel: i32\): f32, .*filter\.ts:\d+\n/);
    expect(header).toContain("\ntmc_trap_kind tmc_filter_step(int32_t channel, float *result);\n");
    expect(header).toContain("\nvoid board_show_quality(uint16_t quality, tmc_str label);\n");
    expect(header).toMatch(/\n#define FILTER_CLIPPED UINT16_C\(\d+\)\n#define FILTER_GOOD UINT16_C\(\d+\)\n/);
  });
});

describe("the header of generated C", () => {
  const module = `interface Limits {
  readonly low: f32;
  readonly high: f32;
}
const limits: Limits = { low: 1, high: 2 };
/** Ends a comment: *\\/ in its text. @binding motor_set */
declare function setMotor(limits: Limits, names: Int16Array, on: boolean): boolean;
/** @binding limits */
declare function sameNameAsAGlobal(level: i32 | null): void;
/** @binding clock64 */
declare function clock64(since: i64, into: BigUint64Array): i64;
const stamps = new BigUint64Array(2);
const data = new Int16Array(3);
function run(): void {
  if (setMotor(limits, data, true)) sameNameAsAGlobal(null);
}
function text(): string {
  return "ok";
}
entry("run", run);
entry("text", text);
entry("lambda", (x: u8): boolean => x > 3);
entry("wide", (x: i64): u64 => u64(clock64(x, stamps)));
entry("app_tick", (now: u32): u32 => now + 1);
`;
  it("agrees with the C file, also in the types of objects, arrays and optional numbers", async () => {
    writeFileSync(join(folder, "motor.ts"), module);
    const gen = await emit("motor.ts", "motor");
    const header = readFileSync(join(gen, "motor.h"), "utf8");
    for (const line of [
      "bool motor_set(Limits *limits, tmc_arr_i16 names, bool on);",
      "tmc_trap_kind tmc_run(void);",
      "tmc_trap_kind tmc_text(tmc_str *result);",
      "int64_t clock64(int64_t since, tmc_arr_u64 into);",
      "tmc_trap_kind tmc_wide(int64_t x, uint64_t *result);",
      "tmc_trap_kind tmc_lambda(uint8_t x, bool *result);",
    ]) {
      expect(header).toContain(`\n${line}\n`);
    }
    // Entries of the port are in tmc/port.h.
    expect(header).not.toContain("tmc_app_tick");
    writeFileSync(
      join(folder, "user.c"),
      '#include "motor.h"\n#include "motor.h"\nfloat top(const Limits *l);\nfloat top(const Limits *l) {\n    return l->high;\n}\n',
    );
    await gcc("-c", `-I${gen}`, "-o", join(folder, "user.o"), join(folder, "user.c"));
    await gcc("-c", `-I${gen}`, "-o", join(folder, "motor.o"), join(gen, "motor.c"));
    // The prototypes of both are those of one program: GCC compares them in one unit.
    const both = readFileSync(join(gen, "motor.c"), "utf8");
    const prototypes = header
      .split("\n")
      .filter((line) => /^(bool|void|int64_t|tmc_trap_kind) \w+\(.*\);$/.test(line));
    expect(prototypes.length).toBe(7);
    writeFileSync(join(folder, "both.c"), `${both}\n${prototypes.join("\n")}\n`);
    await gcc("-c", `-I${gen}`, "-o", join(folder, "both.o"), join(folder, "both.c"));
  });
  it.each([
    ["my-filter", "TMC2012"],
    ["app_stop", "TMC2012"],
    ["trap", "TMC2012"],
    ["port_log_write", "TMC2012"],
    ["", "TMC2012"],
  ])("refuses the entry %j", async (name, code) => {
    writeFileSync(join(folder, "bad.ts"), `entry(${JSON.stringify(name)}, (): void => {});\n`);
    const { stderr, exitCode } = await callTmc(["build", "bad.ts", "--board", "host", "--emit", "c"], folder);
    expect(stderr).toContain(` - error ${code}: `);
    expect(exitCode).toBe(1);
  });
  it("refuses an entry that is registered twice, and a binding that is no C name", async () => {
    writeFileSync(join(folder, "twice.ts"), 'entry("a", (): void => {});\nentry("a", (): void => {});\n');
    expect((await callTmc(["build", "twice.ts", "--board", "host", "--emit", "c"], folder)).stderr).toContain(
      'TMC2012: the entry "a" is registered twice',
    );
    writeFileSync(
      join(folder, "name.ts"),
      '/** @binding set-motor */\ndeclare function f(): void;\nentry("a", (): void => f());\n',
    );
    expect((await callTmc(["build", "name.ts", "--board", "host", "--emit", "c"], folder)).stderr).toContain(
      "error TMC1139: ",
    );
  });
});
