/** Runs a linked program on the host or in QEMU and reads its reports. It builds nothing and judges no output. */
import { resolve } from "node:path";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { Board } from "./board.js";
import { isMissingCommand, runProcess } from "./processes.js";
import { parsePortReport, type TrapReport } from "./trap-line.js";

export interface RunOptions {
  readonly board: Board;
  readonly elf: string;
  /** Arguments of the process; boards in QEMU take none. */
  readonly args?: readonly string[];
  readonly stdin?: Uint8Array;
  readonly cwd?: string;
  /** Default 60,000. */
  readonly timeoutMs?: number;
  /** Count the executed instructions of main (QEMU only; slower). Default false. */
  readonly count?: boolean;
}

export interface RunResult {
  /** One character a byte (Latin-1), as strings of the language are. */
  readonly stdout: string;
  /** Without the lines that were parsed; one character a byte. */
  readonly stderr: string;
  /** 0 ended well, 2 uncaught trap, -1 killed by a signal. */
  readonly exitCode: number;
  readonly signal: string | undefined;
  readonly trap: TrapReport | undefined;
  readonly instructions: number | undefined;
  /** A processor fault or sanitizer report: a bug of ours. */
  readonly fault: string | undefined;
}

/** The command that runs an image; also what `tmc run` starts in the foreground. */
export function runCommand(options: RunOptions): { command: string; args: string[] } {
  const { board } = options;
  const elf = resolve(options.elf);
  switch (board.run.how) {
    case "process":
      return { command: elf, args: [...(options.args ?? [])] };
    case "qemu": {
      const { binary, machine, cpu, args } = board.run;
      const bareMetal = board.kind === "bare-metal";
      const semihosting = `enable=on,target=native,arg=program${options.count === true ? ",arg=--count" : ""}`;
      return {
        command: binary,
        args: [
          ...["-machine", machine, ...(cpu === undefined ? [] : ["-cpu", cpu])],
          ...["-display", "none", "-monitor", "none", "-serial", bareMetal ? "none" : "stdio"],
          ...(bareMetal ? ["-semihosting-config", semihosting] : []),
          ...(options.count === true ? ["-icount", "shift=6"] : []),
          ...args,
          ...["-kernel", elf],
        ],
      };
    }
    case "flash":
      throw new UserError(
        "TMC4005",
        `board ${board.name} is real hardware: tmc cannot run its image here`,
        "Flash it: west flash",
        ExitCode.usage,
      );
  }
}

/** @throws UserError TMC4003 (no QEMU), TMC4005 (not runnable here), TMC4006 (time-out or endless output). */
export async function runExecutable(options: RunOptions): Promise<RunResult> {
  const { board } = options;
  const timeoutMs = options.timeoutMs ?? 60_000;
  const { command, args } = runCommand(options);
  let result;
  try {
    result = await runProcess(command, args, {
      timeoutMs,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } catch (error) {
    if (board.run.how === "qemu" && isMissingCommand(error)) {
      throw new UserError(
        "TMC4003",
        `board ${board.name} needs ${command}, which is not installed`,
        `Install it: apt-get install ${board.run.package}`,
        ExitCode.missingTool,
      );
    }
    throw error;
  }
  if (result.timedOut || result.outputTooLarge) {
    const reason = result.timedOut ? `did not end within ${timeoutMs / 1000} s` : "wrote too much output";
    throw new UserError(
      "TMC4006",
      `the program ${reason} on ${board.name}`,
      "Look for a loop that does not end.",
    );
  }
  const report = parsePortReport(result.stderr.toString("latin1"));
  const sanitizer = /^.*(AddressSanitizer|runtime error):.*$/m.exec(report.rest)?.[0];
  return {
    stdout: result.stdout.toString("latin1"),
    stderr: report.rest,
    exitCode: result.exitCode,
    signal: result.signal,
    trap: report.trap,
    instructions: report.instructions,
    fault: report.fault ?? sanitizer,
  };
}
