/**
 * `npm run bench:function-slots`: ways to call a function that the firmware does not have, for one function
 * (examples/functions/vibration-rms.ts, a window of 128 x 3 values) on a Cortex-M4 in QEMU: built in, linked for one
 * address, position independent (what tmc does), and as a loadable extension of Zephyr (LLEXT, where there is a workspace).
 * `--json` for programs. Times are executed instructions. Signature and digest are not in any of them.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findBoard } from "../compiler/board/board.js";
import { readElf, readSection } from "../compiler/board/elf.js";
import { packagePath } from "../compiler/board/package-root.js";
import { runExecutable } from "../compiler/board/run.js";
import { buildExecutable, compileObjects } from "../compiler/board/toolchain.js";
import { buildZephyr } from "../compiler/board/zephyr/build.js";
import { findWorkspace } from "../compiler/board/zephyr/workspace.js";
import { buildImage } from "../compiler/function/build-image.js";
import { compileFunction } from "../compiler/function/compile-function.js";
import { callImages } from "../compiler/function/on-board.js";
import { constantArray } from "../compiler/model/emit-c/constants.js";

interface Row {
  readonly way: string;
  /** Bytes that are sent to the node. */
  readonly artifact: number | undefined;
  /** Bytes of the loader in the firmware. */
  readonly loaderFlash: number | undefined;
  readonly loaderRam: number | undefined;
  /** Bytes of RAM of this function. */
  readonly ram: number;
  /** Instructions from the bytes in flash to the first call, and of a call. */
  readonly load: number | undefined;
  readonly call: number;
}

const board = findBoard("qemu_cortex_m4");
const source = packagePath("examples", "functions", "vibration-rms.ts");
const values = Float32Array.from({ length: 384 }, (_, i) => (i % 17) - 3.5);
const input = new Uint8Array(values.buffer);
const work = mkdtempSync(join(tmpdir(), "tmc-function-slots-"));
const cpu = board.toolchain.flags;
const gcc = (...args: readonly string[]): void => {
  execFileSync("arm-none-eabi-gcc", [...cpu, ...args], { stdio: ["ignore", "inherit", "inherit"] });
};

const compiled = compileFunction({ file: source, root: packagePath(), checked: false });
if (!compiled.ok) throw new Error("the example does not compile");
for (const file of compiled.compiled.c.files) writeFileSync(join(work, file.path), file.text);
const generated = compiled.compiled.c.sources.map((name) => join(work, name));
const entrySource = packagePath("runtime-c", "port", "function", "image.c");
const cacheDir = packagePath("build", "equality-cache");

/** Counts one call of `call()` in a program of its own. */
async function counted(name: string, text: string, sources: readonly string[], linkArgs: readonly string[]) {
  const folder = join(work, name);
  mkdirSync(folder);
  const program = `#include <string.h>
#include "timers.h"
#include "tmc/function.h"
#include "tmc/port.h"
${constantArray("input", "uint32_t", new Uint32Array(input.slice().buffer))}
static uint8_t output[12];
${text}
static void nothing(void) {
}
void tmc_program_main(void) {
    const int64_t none = timers_count_instructions(nothing);
    call(); /* makes what has to be made once */
    tmc_log_i32((int32_t)(timers_count_instructions(call) - none));
    tmc_log_end();
}
`;
  writeFileSync(join(folder, "program.c"), program);
  const { elf } = await buildExecutable({
    board,
    sources: [join(folder, "program.c"), ...sources],
    includeDirs: [packagePath("runtime-c", "port", "cortex-m"), work],
    outDir: folder,
    name,
    port: "program",
    linkArgs,
    cacheDir,
  });
  return Number((await runExecutable({ board, elf, count: true })).stdout.trim());
}

const frame =
  "tmc_function_frame frame = {.input = (const uint8_t *)input, .input_bytes = sizeof input, .output = output, .output_bytes = 12};";

/** The function linked at `codeAt` and `ramAt`. */
async function linkedAt(codeAt: number, ramAt: number) {
  const outDir = join(work, "fixed-objects");
  const { objects } = await compileObjects({
    board,
    sources: [...generated, entrySource],
    includeDirs: [work],
    outDir,
    cacheDir,
  });
  const script = join(work, "fixed.ld");
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const text = readFileSync(packagePath("runtime-c", "port", "function", "image.ld"), "utf8");
  writeFileSync(
    script,
    text
      .replace(".text 0", `.text ${hex(codeAt)}`)
      .replaceAll("0x20000000", hex(ramAt))
      .replace(/^ASSERT.*$/ms, ""),
  );
  const elf = join(work, "fixed.elf");
  gcc(
    ...["-nostartfiles", "--specs=nano.specs", "-T", script, "-Wl,--gc-sections", "-Wl,--wrap=longjmp"],
    ...["-Wl,--no-warn-rwx-segments", ...objects.map((o) => o.object), "-o", elf],
  );
  const parts = readElf(elf);
  const bss = parts.sections.find((s) => s.name === ".bss");
  const entry = parts.symbols.find((s) => s.name === "tmc_image_entry")?.address ?? 0;
  const data = readSection(elf, ".data");
  const code = readSection(elf, ".text");
  const ram = bss === undefined ? data.length : bss.address + bss.size - ramAt;
  return { code, data, ram, entry };
}

/** Code and read-only data of the loader, as nodes are built. */
function loaderBytes(): number {
  const files = ["check.c", "run.c", "enter-cortex-m.c", "function_calls.c"];
  let bytes = 0;
  for (const name of files) {
    const object = join(work, `${name}.o`);
    const flags = ["-std=c11", "-Os", "-ffunction-sections", `-I${packagePath("runtime-c", "include")}`];
    gcc(...flags, "-c", packagePath("runtime-c", "function", name), "-o", object);
    for (const s of readElf(object).sections) bytes += s.allocated && s.loaded ? s.size : 0;
  }
  return bytes;
}

async function slots(): Promise<Row[]> {
  const codeAt = 0x20200000;
  const ramAt = 0x20300000;
  const fixed = await linkedAt(codeAt, ramAt);
  const builtIn = await counted(
    "built-in",
    `int32_t tmc_image_entry(tmc_function_frame *frame);\nstatic void call(void) { ${frame} tmc_image_entry(&frame); }`,
    [...generated, packagePath("bench", "function-slots", "built-in.c")],
    [],
  );
  const words = (bytes: Buffer): Uint32Array => {
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
    bytes.copy(padded);
    return new Uint32Array(new Uint8Array(padded).buffer);
  };
  const fixedCall = await counted(
    "fixed",
    `${constantArray("code", "uint32_t", words(fixed.code))}
${constantArray("data", "uint32_t", words(fixed.data))}
static bool placed;
static void call(void) {
    if (!placed) {
        memcpy((void *)${codeAt}U, code, sizeof code);
        placed = true;
        return;
    }
    memcpy((void *)${ramAt}U, data, sizeof data);
    memset((uint8_t *)${ramAt}U + sizeof data, 0, ${fixed.ram}U - sizeof data);
    ${frame}
    ((tmc_function_entry)${fixed.entry + 1}U)(&frame);
}`,
    [],
    [],
  );
  const { build } = await buildImage({ file: source, root: packagePath(), checked: false, board, cacheDir });
  if (build === undefined) throw new Error("the example does not compile");
  const [result] = await callImages([{ image: build.bytes, inputs: [input] }], { count: true, cacheDir });
  const call = result?.calls[0];
  if (result?.instructions === undefined || call?.instructions === undefined) throw new Error("not counted");
  const expected = compiled.ok ? compiled.call(input) : input;
  if (!Buffer.from(call.output).equals(expected)) throw new Error("another output than that of Node.js");
  const loaderFlash = loaderBytes();
  const golden = build.image.golden.input.length + build.image.golden.output.length;
  return [
    {
      ...{ way: "built in", artifact: undefined, loaderFlash: undefined, loaderRam: undefined },
      ...{ ram: fixed.ram, load: undefined, call: builtIn },
    },
    {
      ...{ way: "slot, one address", loaderFlash, loaderRam: 20, ram: fixed.ram, load: result.instructions },
      ...{ artifact: fixed.code.length + fixed.data.length + 160 + 32 + golden, call: fixedCall },
    },
    {
      ...{ way: "slot, any address", artifact: build.bytes.length, loaderFlash, loaderRam: 20 },
      ...{ ram: build.image.ram, load: result.instructions, call: call.instructions },
    },
  ];
}

function extension(): Buffer {
  const flags = ["-std=c11", "-O2", "-ffp-contract=off", "-fno-common", "-fno-pic", "-mlong-calls"];
  const include = [`-I${packagePath("runtime-c", "include")}`, `-I${work}`, "-ffunction-sections"];
  const exported = join(work, "exported.c");
  writeFileSync(
    exported,
    `int tmc_image_entry(void *);
static const char name[] = "tmc_image_entry";
const struct { const char *name; const void *address; } exported
    __attribute__((section(".exported_sym"), used)) = {name, (const void *)tmc_image_entry};
`,
  );
  const objects = [...generated, entrySource, packagePath("runtime-c", "src", "traps.c"), exported].map(
    (file, i) => {
      const object = join(work, `extension-${i}.o`);
      gcc(...flags, ...include, "-c", file, "-o", object);
      return object;
    },
  );
  const out = join(work, "extension.o");
  gcc(
    ...[
      "-nostdlib",
      "-r",
      "--specs=nano.specs",
      "-Wl,--wrap=longjmp",
      "-Wl,--gc-sections",
      "-Wl,-e,tmc_image_entry",
    ],
    ...[
      "-T",
      packagePath("bench", "function-slots", "extension.ld"),
      ...objects,
      "-lc_nano",
      "-lgcc",
      "-o",
      out,
    ],
  );
  execFileSync("arm-none-eabi-strip", ["--strip-unneeded", out]);
  return readFileSync(out);
}

/** What the image prints until it says that it has ended. */
function printed(elf: string): Promise<string> {
  return new Promise((done, failed) => {
    const machine = ["-machine", "mps2-an386", "-cpu", "cortex-m4", "-nographic", "-icount", "shift=6"];
    const child = spawn("qemu-system-arm", [...machine, "-kernel", elf], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    const timer = setTimeout(() => child.kill(), 60_000);
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (/^end\r?$/m.test(text)) child.kill();
    });
    child.on("error", failed);
    child.on("close", () => {
      clearTimeout(timer);
      done(text);
    });
  });
}

async function llext(): Promise<Row | string> {
  const found = await findWorkspace();
  if (found.kind !== "found") return `LLEXT: skipped, ${found.missing.message}`;
  const bytes = extension();
  const array = constantArray("extension", "int8_t", Int8Array.from(bytes));
  writeFileSync(join(work, "extension.h"), `#include <stdint.h>\n__attribute__((aligned(8))) ${array}\n`);
  const images = [];
  for (const name of ["none", "llext"] as const) {
    images.push(
      await buildZephyr({
        workspace: found.workspace,
        board: findBoard("mps2_an386"),
        genDir: work,
        sourceDir: packagePath("bench", "function-slots", "llext"),
        outDir: packagePath("build", "bench", `function-slots-${name}`),
        confFiles: name === "llext" ? [packagePath("bench", "function-slots", "llext", "llext.conf")] : [],
      }),
    );
  }
  const sizes = images.map(({ elf }) => {
    const sections = readElf(elf).sections.filter((s) => s.allocated);
    const sum = (list: typeof sections): number => list.reduce((n, s) => n + s.size, 0);
    return { flash: sum(sections.filter((s) => s.loaded)), ram: sum(sections.filter((s) => s.writable)) };
  });
  const [none, all] = sizes;
  const text = await printed(images[1]?.elf ?? "");
  const [, load, call, ram] = /result (\d+) (\d+) (\d+) 12 /.exec(text) ?? [];
  if (none === undefined || all === undefined || load === undefined) throw new Error(`LLEXT: ${text}`);
  const own = values.byteLength + 12;
  return {
    way: "LLEXT",
    artifact: bytes.length,
    loaderFlash: all.flash - none.flash - bytes.length,
    loaderRam: all.ram - none.ram - own,
    ram: Number(ram),
    load: Number(load),
    call: Number(call),
  };
}

const { values: args } = parseArgs({ options: { json: { type: "boolean", default: false } } });
try {
  const rows = await slots();
  const other = await llext();
  if (typeof other !== "string") rows.push(other);
  if (args.json) process.stdout.write(`${JSON.stringify({ rows }, undefined, 2)}\n`);
  else {
    const cell = (value: number | undefined): string =>
      value === undefined ? "" : value.toLocaleString("en-US");
    const lines = rows.map(
      (r) =>
        `| ${r.way} | ${[r.artifact, r.loaderFlash, r.loaderRam, r.ram, r.load, r.call].map(cell).join(" | ")} |`,
    );
    process.stdout.write(
      `| | sent | loader: flash | loader: RAM | RAM of the function | load | call |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n${lines.join("\n")}\n`,
    );
    if (typeof other === "string") process.stdout.write(`${other}\n`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
