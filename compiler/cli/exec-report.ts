/** Compares what targets made of one program and says so. Runs nothing. */
import { diffLines } from "./output-diff.js";

export interface TargetTrap {
  /** index, null, division, overflow, capacity, throw, stack, assert */
  readonly kind: string;
  /** `src/a.ts:3:5`; "" when the trap has no place in the source. */
  readonly place: string;
  /** Text of `throw new Error("text")`, else "". */
  readonly message: string;
}

/** One target's run, ended well or with an uncaught trap. */
export interface TargetOutcome {
  readonly target: string;
  /** One character a byte. */
  readonly stdout: string;
  readonly trap: TargetTrap | undefined;
  /** Executed instructions of main, where they were counted. */
  readonly instructions: number | undefined;
}

/** `trap index at src/a.ts:3:5`, `trap throw at src/a.ts:3:5: text` */
export function formatTrap(trap: TargetTrap): string {
  const place = trap.place === "" ? "" : ` at ${trap.place}`;
  return `trap ${trap.kind}${place}${trap.message === "" ? "" : `: ${trap.message}`}`;
}

/** Output and ending, so that a target that printed the same but trapped elsewhere differs too. */
function whole(outcome: TargetOutcome): string {
  return outcome.trap === undefined ? outcome.stdout : `${outcome.stdout}${formatTrap(outcome.trap)}\n`;
}

/** Whether all outcomes are equal: the same bytes and the same ending. */
export function allAgree(outcomes: readonly TargetOutcome[]): boolean {
  const [first, ...others] = outcomes.map(whole);
  return others.every((text) => text === first);
}

/**
 * The differences, against the first target: which targets agree with it, and for each other one the changed lines
 * (`-` the first target's, `+` its own). Lines for people.
 */
export function formatDisagreement(outcomes: readonly TargetOutcome[]): string {
  const [first, ...others] = outcomes;
  if (first === undefined) {
    return "";
  }
  const parts: string[] = [];
  for (const other of others) {
    const difference = diffLines(whole(first), whole(other));
    if (difference.length === 0) {
      parts.push(`${other.target}: same as ${first.target}`);
    } else {
      parts.push(
        `${other.target} differs from ${first.target}:`,
        `--- ${first.target}`,
        `+++ ${other.target}`,
        ...difference,
      );
    }
  }
  return `${parts.join("\n")}\n`;
}
