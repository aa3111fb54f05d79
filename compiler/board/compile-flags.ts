/** The flags of every C compilation and link, by board, compiler and purpose. It runs nothing. */
import type { Board } from "./board.js";

export type CompilerName = "gcc" | "clang";
export type OptimisationLevel = "-O0" | "-O1" | "-O2" | "-O3" | "-Os";

export interface FlagChoice {
  readonly board: Board;
  readonly cc: CompilerName;
  readonly opt: OptimisationLevel;
  /** AddressSanitizer and UndefinedBehaviorSanitizer; host only. */
  readonly sanitize: boolean;
  readonly warningsAreErrors: boolean;
  /** Debug information and what the memory report reads; default true. */
  readonly debug?: boolean;
}

/** -ffp-contract=off is part of the language: a fused multiply-add rounds once where the program says twice. */
const always = [
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Wconversion",
  "-Wshadow",
  "-ffp-contract=off",
  "-fno-common",
  "-ffunction-sections",
  "-fdata-sections",
];

function sanitizerFlags(choice: FlagChoice): string[] {
  return choice.sanitize
    ? ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
    : [];
}

export function compileFlags(choice: FlagChoice): string[] {
  return [
    ...choice.board.toolchain.flags,
    ...always,
    ...(choice.debug === false ? [] : ["-g"]),
    choice.opt,
    ...(choice.board.kernels === "portable" ? ["-DTMC_KERNELS_PORTABLE"] : []),
    ...(choice.warningsAreErrors ? ["-Werror"] : []),
    // What the memory report reads; clang has no call graph output.
    ...(choice.cc === "gcc" && !choice.sanitize && choice.debug !== false
      ? ["-fstack-usage", "-fcallgraph-info=su"]
      : []),
    ...sanitizerFlags(choice),
  ];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** `script`: the linker script of a bare-metal port; its memories come from the board file. */
export function linkFlags(choice: FlagChoice, mapFile: string, script: string | undefined): string[] {
  const { board } = choice;
  const memory =
    script !== undefined && board.memory !== undefined
      ? [
          "-nostartfiles",
          "--specs=nano.specs",
          "-T",
          script,
          `-Wl,--defsym=__flash_origin=${hex(board.memory.flash.origin)}`,
          `-Wl,--defsym=__flash_size=${hex(board.memory.flash.size)}`,
          `-Wl,--defsym=__ram_origin=${hex(board.memory.ram.origin)}`,
          `-Wl,--defsym=__ram_size=${hex(board.memory.ram.size)}`,
          `-Wl,--defsym=__stack_size=${hex(board.budget.stack)}`,
        ]
      : [];
  return [
    ...board.toolchain.flags,
    ...memory,
    ...sanitizerFlags(choice),
    "-Wl,--gc-sections",
    `-Wl,-Map=${mapFile}`,
    ...board.toolchain.linkFlags,
  ];
}
