/** What a session in GDB needs beside the image: the script `debug.gdb`, and the commands to type. It starts nothing. */
import { dirname, join, relative } from "node:path";
import type { Board } from "../board/board.js";
import { packagePath } from "../board/package-root.js";
import { runCommand } from "../board/run.js";
import { writeIfDifferent } from "./write-sources.js";

/** The port that QEMU's and our examples use. */
const port = 1234;

/** `outDir/debug.gdb`: the image, the names and the sources of TypeScript. `root`: what `#line` paths are relative to. */
export function writeDebugScript(options: {
  readonly elf: string;
  readonly outDir: string;
  readonly root: string;
}): void {
  const lines = [
    "# Written by tmc build --debug: what GDB needs to show TypeScript.",
    `file ${quoted(options.elf)}`,
    `python tmc_symbols = ${JSON.stringify(join(options.outDir, "symbols.json"))}`,
    `source ${packagePath("runtime-c", "gdb", "tmc.py")}`,
    `directory ${quoted(options.root)}`,
    `directory ${quoted(join(options.outDir, "gen"))}`,
    // Modules of the library are named tmc/….
    `set substitute-path tmc ${quoted(packagePath("firmware"))}`,
    // Helpers like checked addition: `step` goes over them.
    "skip -gfi */include/tmc/*.h",
    "set print pretty on",
  ];
  writeIfDifferent(join(options.outDir, "debug.gdb"), `${lines.join("\n")}\n`);
}

const quoted = (path: string): string => (/[\s"\\]/.test(path) ? JSON.stringify(path) : path);

/** The commands that start a session, for people. */
export function debugHint(board: Board, image: string): string {
  const script = relative(process.cwd(), join(dirname(image), "debug.gdb"));
  if (board.run.how !== "qemu" || board.kind !== "bare-metal") return `debug it: gdb -x ${script}\n`;
  const { command, args } = runCommand({ board, elf: image });
  const qemu = [command, ...args, "-S", "-gdb", `tcp:127.0.0.1:${port}`];
  return [
    "debug it, in two terminals:",
    `  ${qemu.map(shellQuoted).join(" ")}`,
    `  gdb-multiarch -x ${script} -ex 'target remote 127.0.0.1:${port}'`,
    "",
  ].join("\n");
}

const shellQuoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
