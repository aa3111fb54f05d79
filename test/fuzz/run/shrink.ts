/** Makes a failing program small: the smallest one found in the time that still fails in the same way. */
import fc from "fast-check";
import { anyProgram, programText, seedOf } from "../generate/program.js";
import { examine, type BatchChoice, type Finding } from "./batch.js";
import type { EqualityTarget } from "../../support/equality.js";

export interface Shrunk {
  readonly text: string;
  readonly detail: string;
}

/** Codes of diagnostics or the first words of an error: a smaller program must not fail for another reason. */
function reason(f: Finding): string {
  if (f.kind === "refused") return (/error (TMC\d+): ([^`"']*)/.exec(f.detail)?.slice(1) ?? []).join();
  // Numbers and quoted names change as the program shrinks.
  if (f.kind === "internal error") return (f.detail.split("\n")[0] ?? "").replace(/\d+|[`"'].*?[`"']/g, "");
  return f.kind;
}

/** Runs program `f.index` of the campaign alone, again and again; undefined when it does not fail alone. */
export async function shrink(
  f: Finding,
  seed: number,
  choice: Omit<BatchChoice, "targets"> & {
    readonly targets: readonly EqualityTarget[];
    readonly timeMs: number;
  },
): Promise<Shrunk | undefined> {
  const targets = choice.targets.filter((t) => t.name === f.target);
  let smallest: Shrunk | undefined;
  const property = fc.asyncProperty(anyProgram, async (t) => {
    const text = programText(t);
    const found = await examine([{ index: f.index, text }], { ...choice, targets });
    const same = found.find((x) => x.kind === f.kind && reason(x) === reason(f));
    if (same === undefined) return true;
    smallest = { text, detail: same.detail };
    return false;
  });
  await fc.check(property, {
    seed: seedOf(seed, f.index),
    numRuns: 1,
    interruptAfterTimeLimit: choice.timeMs,
    markInterruptAsFailure: false,
  });
  return smallest;
}
