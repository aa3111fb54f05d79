import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard, type Board } from "./board.js";
import { runExecutable, type RunResult } from "./run.js";
import { buildExecutable, compileObjects, type BuildOptions, type BuildResult } from "./toolchain.js";

const hello = `#include "tmc/tmc.h"
void tmc_program_main(void);
void tmc_program_main(void) { tmc_log_str(TMC_STR("hello")); tmc_log_i32(-7); tmc_log_bool(true); tmc_log_end(); }
`;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-toolchain-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

let serial = 0;
function build(text: string, board: Board, more: Partial<BuildOptions> = {}): Promise<BuildResult> {
  const outDir = join(folder, `out-${serial++}`);
  const source = `${outDir}.c`;
  writeFileSync(source, text);
  return buildExecutable({
    board,
    name: "program",
    sources: [source],
    outDir,
    port: "program",
    warningsAreErrors: true,
    cacheDir: join(folder, "cache"),
    ...more,
  });
}

async function run(text: string, board: Board, more: Partial<BuildOptions> = {}): Promise<RunResult> {
  const { elf } = await build(text, board, more);
  return runExecutable({ board, elf, timeoutMs: 20_000 });
}

const host = findBoard("host");
const qemu = findBoard("qemu_cortex_m4");

describe("buildExecutable", () => {
  it.each<[string, Board, Partial<BuildOptions>]>([
    ["host gcc -O2", host, {}],
    ["host gcc -O0", host, { opt: "-O0" }],
    ["host clang", host, { cc: "clang" }],
    ["host gcc with sanitizers", host, { sanitize: true }],
    ["host clang with sanitizers", host, { cc: "clang", sanitize: true }],
    ["qemu_cortex_m4 -O2", qemu, {}],
    ["qemu_cortex_m4 -O0", qemu, { opt: "-O0" }],
  ])("makes programs that print: %s", async (_, board, more) => {
    const result = await run(hello, board, more);
    expect(result).toMatchObject({ stdout: "hello -7 true\n", stderr: "", exitCode: 0, trap: undefined });
  });

  it("keeps objects of the runtime between builds, apart by flags", async () => {
    const [first, second, other] = [
      await build(hello, host),
      await build(hello, host),
      await build(hello, host, { opt: "-O0" }),
    ];
    const runtime = (result: BuildResult) =>
      result.objects
        .filter((object) => object.group === "runtime")
        .map((object) => [object.object, statSync(object.object).mtimeMs]);
    expect(runtime(second)).toEqual(runtime(first));
    expect(runtime(first).length).toBeGreaterThan(3);
    expect(runtime(other)[0]?.[0]).not.toBe(runtime(first)[0]?.[0]);
  });

  it("may run several times at once in one cache", async () => {
    const cacheDir = join(folder, "shared-cache");
    const results = await Promise.all([1, 2, 3].map(() => run(hello, host, { cacheDir })));
    expect(results.map((result) => result.stdout)).toEqual(Array(3).fill("hello -7 true\n"));
  });

  it("calls C that does not compile a bug of ours, with the compiler's text", async () => {
    await expect(build("void f(void) { undeclared(); }", host)).rejects.toMatchObject({
      code: "TMC4090",
      exitCode: 70,
      message: expect.stringContaining("undeclared"),
    });
  });

  it("calls a function that nobody defines a bug of ours", async () => {
    await expect(build("void tmc_other(void);\nvoid tmc_other(void) {}", host)).rejects.toMatchObject({
      code: "TMC4090",
      message: expect.stringContaining("tmc_program_main"),
    });
  });

  it("names the package of a missing compiler", async () => {
    const board: Board = {
      ...qemu,
      toolchain: { ...qemu.toolchain, prefix: "no-such-cpu-", package: "gcc-for-it" },
    };
    await expect(build(hello, board)).rejects.toMatchObject({
      code: "TMC4003",
      exitCode: 4,
      message: expect.stringContaining("no-such-cpu-gcc"),
      fix: expect.stringContaining("gcc-for-it"),
    });
  });

  it("names the package of missing headers", async () => {
    const board: Board = { ...host, toolchain: { ...host.toolchain, flags: ["-nostdinc"] } };
    await expect(build(hello, board)).rejects.toMatchObject({
      code: "TMC4003",
      exitCode: 4,
      fix: expect.stringContaining("libc6-dev"),
    });
  });

  it("links nodes and kernels for the host", async () => {
    const entries = ["start(void)", "connected(void)", "disconnected(void)"];
    const node = `#include "tmc/port.h"
${entries.map((entry) => `tmc_trap_kind tmc_app_${entry} { return TMC_TRAP_NONE; }`).join("\n")}
tmc_trap_kind tmc_app_message(tmc_str topic, tmc_arr_u8 payload) { return topic.len < payload.len ? TMC_TRAP_NONE : TMC_TRAP_INDEX; }
tmc_trap_kind tmc_app_tick(uint32_t now_ms) { (void)now_ms; return TMC_TRAP_NONE; }
int32_t tmc_model_count(void) { return 0; }`;
    const { elf, messages } = await build(node, host, { port: "node", kernels: true });
    expect(messages).toBe("");
    const help = await runExecutable({ board: host, elf, args: ["--no-such-option"], timeoutMs: 10_000 });
    expect(help.exitCode).not.toBe(0);
  });

  it("refuses what the board does not have", async () => {
    await expect(build(hello, qemu, { cc: "clang" })).rejects.toMatchObject({ code: "TMC4004", exitCode: 3 });
    await expect(build(hello, qemu, { sanitize: true })).rejects.toMatchObject({ code: "TMC4004" });
    await expect(build(hello, qemu, { port: "node" })).rejects.toMatchObject({ code: "TMC4004" });
    await expect(build(hello, findBoard("native_sim"))).rejects.toMatchObject({ code: "TMC4004" });
  });

  it("says which memory overflows", async () => {
    const big = hello.replace(
      "void tmc_program_main(void) {",
      "$& static volatile uint32_t big[5 << 18]; tmc_log_u32(big[3]);",
    );
    await expect(build(big, qemu)).rejects.toMatchObject({
      code: "TMC4010",
      message: expect.stringMatching(/RAM of board qemu_cortex_m4: \d+ bytes/),
    });
  });

  it("compiles objects for boards whose image is made elsewhere", async () => {
    const source = join(folder, "objects.c");
    writeFileSync(source, hello);
    const board = findBoard("b_l4s5i_iot01a");
    const { objects } = await compileObjects({
      board,
      sources: [source],
      outDir: join(folder, "objects"),
      cacheDir: join(folder, "cache"),
    });
    expect(objects.find((object) => object.group === "generated")).toMatchObject({
      callGraph: expect.stringContaining("objects.ci"),
    });
  });
});

describe("runExecutable", () => {
  const program = (body: string): string => `#include "tmc/tmc.h"\nvoid tmc_program_main(void);\n${body}\n`;

  it.each([host, qemu])("reports an uncaught trap after the lines before it: $name", async (board) => {
    const body = `void tmc_program_main(void) { tmc_log_i32(1); tmc_log_end(); tmc_throw(TMC_STR("too\\nhot"), 42); }`;
    expect(await run(program(body), board)).toMatchObject({
      stdout: "1\n",
      stderr: "",
      exitCode: 2,
      trap: { kind: "throw", site: 42, message: "too hot" },
    });
  });

  it.each([host, qemu])(
    "reports a stack overflow as a trap that a boundary can catch: $name",
    async (board) => {
      const body = `static int32_t deep(volatile int32_t *p, float f) {
    volatile int32_t frame[200];
    frame[0] = *p;
    return *p != 0 ? deep(p, f * 2.0f) + frame[0] : (int32_t)f;
}
void tmc_program_main(void) {
    volatile int32_t one = 1;
    for (volatile int32_t i = 0; i < 3; i++) {
        tmc_boundary b;
        tmc_boundary_push(&b);
        if (setjmp(b.env) == 0) { (void)deep((volatile int32_t *)&one, 1.5f); } else { tmc_log_i32((int32_t)b.info.kind); tmc_log_end(); }
    }
    (void)deep(&one, 2.5f);
}`;
      const result = await run(program(body), board, { warningsAreErrors: false, opt: "-O1" });
      expect(result).toMatchObject({ stdout: "7\n7\n7\n", exitCode: 2, trap: { kind: "stack", site: 0 } });
    },
  );

  it("reports a processor fault as a bug, not as a trap", async () => {
    const body = `void tmc_program_main(void) { *(volatile uint32_t *)0x60000001U = 1U; __asm__ volatile("udf #0"); }`;
    const result = await run(program(body), qemu);
    expect(result).toMatchObject({ exitCode: 70, trap: undefined, fault: expect.stringContaining("pc=0x") });
  });

  it("passes sanitizer reports on as faults", async () => {
    const body = `static int32_t table[4]; void tmc_program_main(void) { volatile int32_t i = 4; table[i] = 1; }`;
    const result = await run(program(body), host, { sanitize: true });
    expect(result.exitCode).not.toBe(0);
    expect(result.fault).toMatch(/out of bounds|AddressSanitizer/);
  });

  it("stops a program that does not end", async () => {
    const { elf } = await build(program("void tmc_program_main(void) { for (;;) { } }"), host);
    await expect(runExecutable({ board: host, elf, timeoutMs: 300 })).rejects.toMatchObject({
      code: "TMC4006",
    });
  });

  it("counts executed instructions of main exactly", async () => {
    const count = async (body: string): Promise<number | undefined> => {
      const { elf } = await build(program(`void tmc_program_main(void) { ${body} }`), qemu);
      return (await runExecutable({ board: qemu, elf, count: true })).instructions;
    };
    const nops = (n: number): string => `__asm__ volatile(".rept ${n}\\n nop\\n .endr");`;
    expect(await count("")).toBe(0);
    expect(await count(nops(1))).toBe(1);
    expect(await count(nops(2))).toBe(2);
    expect(await count(nops(1003))).toBe(1003);
    const loop = `__asm__ volatile("mov r0, #1000\\n 1: nop\\n subs r0, #1\\n bne 1b" ::: "r0", "cc");`;
    expect(await count(loop)).toBe(1 + 3 * 1000);
  });

  it("names the package of a missing emulator", async () => {
    const board: Board = {
      ...qemu,
      run: { how: "qemu", binary: "no-such-qemu", package: "qemu-pkg", machine: "x", args: [] },
    };
    await expect(runExecutable({ board, elf: "x.elf" })).rejects.toMatchObject({
      code: "TMC4003",
      exitCode: 4,
      fix: expect.stringContaining("qemu-pkg"),
    });
  });

  it("does not pretend to run real hardware", async () => {
    const board = findBoard("b_l4s5i_iot01a");
    await expect(runExecutable({ board, elf: "x.elf" })).rejects.toMatchObject({ code: "TMC4005" });
  });
});
