/**
 * Estimates the cycles of a program on an STM32L4+ (Cortex-M4, 120 MHz) with the QEMU plugin `bench/m4cyc`, which is
 * compiled on first use. The program marks what is counted (harness.ts).
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { packagePath } from "../../board/package-root.js";
import { runProcess } from "../../board/processes.js";

/** Clock of the modelled board. */
export const CLOCK_HZ = 120_000_000;

export interface Cycles {
  readonly instructions: number;
  readonly cycles: number;
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess(command, [...args], { timeoutMs: 600_000 });
  if (exitCode !== 0) {
    throw new Error(`${command} failed (exit code ${exitCode}): ${stderr.toString("utf8")}`);
  }
}

/** Beside the sources, or where those cannot be written in the user's folder for temporary files. */
function buildFolder(): string {
  const own = packagePath("build", "bench");
  try {
    mkdirSync(own, { recursive: true });
    accessSync(own, constants.W_OK);
    return own;
  } catch {
    const other = join(tmpdir(), `tmc-m4cyc-${userInfo().uid}`);
    mkdirSync(other, { recursive: true, mode: 0o700 });
    return other;
  }
}

/** The compiled plugin; compiled again when a source is newer. */
async function plugin(): Promise<string> {
  const folder = packagePath("bench", "m4cyc");
  const target = join(buildFolder(), "m4cyc.so");
  const files = readdirSync(folder).map((name) => join(folder, name));
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if (!existsSync(target) || statSync(target).mtimeMs < newest) {
    const sources = files.filter((file) => file.endsWith(".c"));
    await run("gcc", ["-O2", "-shared", "-fPIC", "-fvisibility=hidden", ...sources, "-o", target]);
  }
  return target;
}

/** Runs a bare-metal image of `qemu_cortex_m4` and counts its marked regions, in order. Throws when there is none. */
export async function countCycles(elf: string): Promise<readonly Cycles[]> {
  const library = await plugin();
  const folder = mkdtempSync(join(tmpdir(), "tmc-cycles-"));
  try {
    const out = join(folder, "cycles.txt");
    await run("qemu-system-arm", [
      ...["-machine", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none"],
      ...["-semihosting-config", "enable=on,target=native,arg=program,arg=--count", "-icount", "shift=6"],
      ...["-plugin", `${library},out=${out}`, "-kernel", elf],
    ]);
    const lines = readFileSync(out, "utf8").matchAll(/^instructions (\d+) cycles (\d+)$/gm);
    const regions = [...lines].map(([, instructions, cycles]) => {
      return { instructions: Number(instructions), cycles: Number(cycles) };
    });
    if (regions.length === 0) {
      throw new Error(`${elf} marks no region to count`);
    }
    return regions;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
