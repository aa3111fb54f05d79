/** The lines that ports print on standard error for tools: traps, instruction counts, faults. Parsing only. */

/** Names of `tmc_trap_kind`, by number. */
export const trapKinds = [
  "none",
  "index",
  "null",
  "division",
  "overflow",
  "capacity",
  "throw",
  "stack",
  "assert",
] as const;

export type TrapKind = (typeof trapKinds)[number];

export interface TrapReport {
  readonly kind: TrapKind;
  /** Key of the site map; 0 when the trap has no place in the source (the stack guard). */
  readonly site: number;
  /** The text of `throw new Error("text")`, else "". */
  readonly message: string;
}

export interface PortReport {
  readonly trap: TrapReport | undefined;
  /** Executed instructions of the program's main. */
  readonly instructions: number | undefined;
  /** A processor fault: a bug of ours, with the text the port printed. */
  readonly fault: string | undefined;
  /** Standard error without these lines. */
  readonly rest: string;
}

/** Takes the `tmc-...` lines out of what a program wrote on standard error (Latin-1 text). */
export function parsePortReport(stderr: string): PortReport {
  let trap: TrapReport | undefined;
  let instructions: number | undefined;
  let fault: string | undefined;
  const rest: string[] = [];
  for (const line of stderr.split("\n")) {
    const trapMatch = /^tmc-trap kind=(\d+) site=(-?\d+) message=(.*)$/.exec(line);
    const countMatch = /^tmc-count instructions=(\d+)$/.exec(line);
    const kind = trapKinds[Number(trapMatch?.[1] ?? 0)];
    if (trapMatch !== null && kind !== undefined) {
      trap = { kind, site: Number(trapMatch[2]), message: trapMatch[3] ?? "" };
    } else if (countMatch !== null) {
      instructions = Number(countMatch[1]);
    } else if (line.startsWith("tmc-fault ")) {
      fault = line.slice("tmc-fault ".length);
    } else {
      rest.push(line);
    }
  }
  return { trap, instructions, fault, rest: rest.join("\n") };
}
