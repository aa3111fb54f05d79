/** Compiles test/package/harness.c: for libFuzzer, or as a program that prints verdicts. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packagePath } from "../../compiler/board/package-root.js";
import type { Verdict } from "../../compiler/model/package/check.js";

/** What the harness gives packages (harness.c). */
export const harnessSlot = { flash: 2 ** 20, ram: 2 ** 20, work: 2 ** 20 } as const;

/** Whether clang can link libFuzzer. */
export function hasLibFuzzer(): boolean {
  const source =
    "int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return d == 0 || n < 0; }";
  const args = ["-x", "c", "-", "-fsanitize=fuzzer,address", "-o", "/dev/null"];
  return spawnSync("clang", args, { input: source, stdio: ["pipe", "ignore", "ignore"] }).status === 0;
}

function sources(): string[] {
  const kernels = packagePath("runtime-c", "kernels");
  return [
    packagePath("test", "package", "harness.c"),
    ...readdirSync(kernels)
      .filter((file) => file.endsWith(".c"))
      .map((file) => join(kernels, file)),
  ];
}

const strict = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"];

function compile(compiler: string, flags: readonly string[], output: string): void {
  const include = `-I${packagePath("runtime-c", "include")}`;
  execFileSync(compiler, [...strict, ...flags, include, ...sources(), "-o", output], { stdio: "pipe" });
}

export function buildFuzzer(output: string, level = "-O1"): void {
  const sanitizers = "-fsanitize=fuzzer,address,undefined";
  compile("clang", ["-g", level, sanitizers, "-fno-sanitize-recover=all"], output);
}

/** With gcc's sanitizers. */
export function buildVerdicts(output: string): void {
  const sanitizers = "-fsanitize=address,undefined";
  compile("gcc", ["-O0", sanitizers, "-fno-sanitize-recover=all", "-DTMC_VERDICTS"], output);
}

/** The verdicts of C; what it accepts has run. `file` is written. @throws Error when the program fails. */
export function verdictsOfC(
  program: string,
  packages: readonly Uint8Array[],
  file: string,
): (Verdict & { readonly selfTest: boolean })[] {
  const parts = packages.flatMap((bytes) => {
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, bytes.length, true);
    return [size, bytes];
  });
  writeFileSync(file, Buffer.concat(parts));
  const text = execFileSync(program, [file], { encoding: "utf8", maxBuffer: 2 ** 26 });
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [reason = -1, step = -1, selfTest = 0] = line.split(" ").map(Number);
      return { reason, step, selfTest: selfTest === 1 };
    });
}
