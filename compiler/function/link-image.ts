/**
 * Compiles generated C and runtime-c for a Cortex-M as position independent code and links it: constants beside the code,
 * RAM addressed from register 9. Everything the linker would fix at an address comes out as a list. Bits are those of
 * every other target.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Board } from "../board/board.js";
import { readElf, readSection } from "../board/elf.js";
import { memoryReport } from "../board/memory-report.js";
import { packagePath } from "../board/package-root.js";
import { runProcess } from "../board/processes.js";
import { compileObjects, compilerCommand, type ObjectFile } from "../board/toolchain.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { CompiledProgram } from "../pipeline/compile.js";
import type { imageMachines, MachineCode, Relocation } from "./image.js";

export interface ImageLinkOptions {
  readonly compiled: CompiledProgram;
  readonly board: Board;
  /** Objects of runtime-c are kept here. Default `.tmc/cache` in the current folder. */
  readonly cacheDir?: string;
}

export interface LinkedImage {
  readonly machineCode: MachineCode;
  /** Bytes of the deepest call, an interrupt included. */
  readonly stack: number;
}

/** Data is not at a fixed distance from code; register 9 belongs to the image while it runs. */
const positionIndependent = [
  "-fpic",
  "-msingle-pic-base",
  "-mpic-register=r9",
  "-mno-pic-data-is-text-relative",
];

const entryName = "tmc_image_entry";
/** Of image.ld. */
const ramOrigin = 0x20000000;
const R_ARM_RELATIVE = 23;

/** What the board's code is compiled for; undefined when images cannot be made for it. */
export function machineOf(board: Board): (typeof imageMachines)[number] | undefined {
  if (!board.toolchain.prefix.startsWith("arm-")) return undefined;
  if (board.cpu.core === "cortex-m4" && board.cpu.fpu === "single") return "cortex-m4f";
  return board.cpu.core === "cortex-m3" ? "cortex-m3" : undefined;
}

/** @throws UserError TMC4003 (no compiler), TMC4013, TMC4090 (C rejected), TMC6313 (no bound of the stack). */
export async function linkImage(options: ImageLinkOptions): Promise<LinkedImage> {
  const { compiled } = options;
  const board: Board = {
    ...options.board,
    toolchain: {
      ...options.board.toolchain,
      flags: [...options.board.toolchain.flags, ...positionIndependent],
    },
  };
  const work = mkdtempSync(join(tmpdir(), "tmc-image-"));
  try {
    const files = [...compiled.c.files, ...compiled.models.files];
    for (const file of files) writeFileSync(join(work, file.path), file.text);
    const port = packagePath("runtime-c", "port", "function");
    const { objects } = await compileObjects({
      board,
      sources: [
        ...files.filter((file) => file.path.endsWith(".c")).map((file) => join(work, file.path)),
        join(port, "image.c"),
      ],
      includeDirs: [work],
      outDir: work,
      kernels: compiled.models.models.length > 0,
      ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
    });
    const elf = join(work, "image.elf");
    const map = join(work, "image.map");
    await link(board, join(port, "image.ld"), objects, elf, map);
    return { machineCode: machineCodeOf(elf), stack: await stackOf(compiled, board, objects, elf, map) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function link(
  board: Board,
  script: string,
  objects: readonly ObjectFile[],
  elf: string,
  map: string,
): Promise<void> {
  const command = compilerCommand(board);
  const result = await runProcess(command, [
    ...board.toolchain.flags,
    ...["-nostartfiles", "--specs=nano.specs", "-T", script],
    ...["-Wl,-pie", "-Wl,--gc-sections", "-Wl,--wrap=longjmp", "-Wl,--no-warn-rwx-segments"],
    `-Wl,-Map=${map}`,
    ...objects.map((file) => file.object),
    ...["-o", elf],
  ]);
  if (result.exitCode !== 0) throw ourBug(`${command}: ${result.stderr.toString("utf8").trimEnd()}`);
}

const ourBug = (what: string): UserError =>
  new UserError(
    "TMC4090",
    `no function image came out: ${what}`,
    "This is a bug in tmc: please report it with the program that shows it.",
    ExitCode.internal,
  );

function machineCodeOf(file: string): MachineCode {
  const elf = readElf(file);
  const code = readSection(file, ".text");
  const data = readSection(file, ".data");
  const bss = elf.sections.find((s) => s.name === ".bss" && s.size > 0);
  const entry = elf.symbols.find((s) => s.name === entryName && s.isFunction);
  if (entry === undefined) throw ourBug("it has no entry");
  // They change the data.
  const relocations = relocationsOf(readSection(file, ".rel.dyn"), data);
  const end = bss === undefined ? data.length : bss.address + bss.size - ramOrigin;
  const usesLog = elf.symbols.some((s) => s.name === "tmc_port_log_write");
  return {
    code: new Uint8Array(code),
    entry: entry.address,
    data: new Uint8Array(data),
    ram: Math.ceil(end / 8) * 8,
    relocations,
    imports: usesLog ? ["log"] : [],
  };
}

/** @throws UserError TMC4090 when an address is anywhere but in the data. */
function relocationsOf(table: Buffer, data: Buffer): Relocation[] {
  const found: Relocation[] = [];
  for (let i = 0; i + 8 <= table.length; i += 8) {
    const offset = table.readUInt32LE(i) - ramOrigin;
    const type = table.readUInt32LE(i + 4);
    if (type !== R_ARM_RELATIVE || offset < 0 || offset % 4 !== 0 || offset + 4 > data.length) {
      throw ourBug(`an address that cannot move (type ${type} at ${table.readUInt32LE(i).toString(16)})`);
    }
    const target = data.readUInt32LE(offset);
    const intoRam = target >= ramOrigin;
    if (intoRam) data.writeUInt32LE(target - ramOrigin, offset);
    found.push({ offset, intoRam });
  }
  return found.sort((a, b) => a.offset - b.offset);
}

async function stackOf(
  compiled: CompiledProgram,
  board: Board,
  objects: readonly ObjectFile[],
  elf: string,
  map: string,
): Promise<number> {
  const { symbols } = compiled.c;
  const { stacks } = await memoryReport({
    board,
    objects,
    elf,
    map,
    entries: [entryName],
    // What imports take is the node's.
    symbols: { ...symbols, indirectCalls: { ...symbols.indirectCalls, tmc_port_log_write: [] } },
  });
  const [bound] = stacks;
  if (bound === undefined) throw ourBug("its stack was not measured");
  if (bound.gaps.length > 0) {
    throw new UserError(
      "TMC6313",
      `the stack of the function has no bound: ${bound.gaps.join("; ")}`,
      "do without the call that is named",
    );
  }
  return bound.bytes;
}
