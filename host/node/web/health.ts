/** What node.monitor tells of a minimal node's inside, as lines for people. It asks nothing. */
import { number, plural } from "./format.js";

/** Of node.monitor's result; each absent where the node does not know it. */
export interface Health {
  readonly stackFree?: number;
  readonly peaks?: { readonly jobs: number; readonly unsent: number; readonly frames: number };
  readonly crash?: {
    readonly kind: number;
    readonly site: number;
    readonly boot: number;
    readonly work: string;
  };
  readonly trap?: { readonly kind: number; readonly site: number };
  readonly drift?: readonly {
    readonly model: string;
    readonly epoch: number;
    readonly samples: number;
    readonly features: readonly (readonly [number, number, number, number, readonly number[]])[];
  }[];
}

export interface HealthLine {
  readonly name: string;
  readonly value: string;
  /** Somebody should look at it. */
  readonly warns?: true;
}

/** Bytes of stack below which a node is near its end. */
const leastStack = 512;

const traps: Readonly<Record<number, string>> = {
  1: "an index out of bounds",
  2: "null was used",
  3: "a division by zero",
  4: "an overflow",
  5: "a container was full",
  6: "an error was thrown",
  7: "the stack was full",
  8: "an assertion failed",
};

/** A trap's place is a number: `tmc decode` knows file and line. */
const atSite = (site: number): string => `site ${site}: tmc decode ${site}`;

function crashText({ kind, site, boot, work }: NonNullable<Health["crash"]>): string {
  const doing = work === "" ? "" : ` during ${work}`;
  const cause =
    kind === 16
      ? "the watchdog"
      : kind === 17
        ? `a fault of the processor at 0x${site.toString(16)}`
        : `${traps[kind] ?? `trap ${kind}`} (${atSite(site)})`;
  return `boot ${boot} ended by ${cause}${doing}`;
}

export function healthLines({ stackFree, peaks, crash, trap, drift = [] }: Health): HealthLine[] {
  const lines: HealthLine[] = [];
  if (crash !== undefined) lines.push({ name: "last crash", value: crashText(crash), warns: true });
  if (trap !== undefined) {
    const value = `${traps[trap.kind] ?? `trap ${trap.kind}`} (${atSite(trap.site)})`;
    lines.push({ name: "last trap since boot", value, warns: true });
  }
  if (stackFree !== undefined) {
    const warns = stackFree < leastStack ? ({ warns: true } as const) : {};
    lines.push({ name: "stack never used", value: `${number(stackFree)} B`, ...warns });
  }
  if (peaks !== undefined) {
    const { jobs, unsent, frames } = peaks;
    const value = `${plural(jobs, "request")}, ${plural(unsent, "unsent answer")}, ${plural(frames, "frame")}`;
    lines.push({ name: "most at once", value });
  }
  for (const { model, samples, features } of drift) {
    const text = features.map(
      ([least, most, mean]) => `${number(mean)} (${number(least)} to ${number(most)})`,
    );
    lines.push({
      name: `input of ${model}`,
      value: samples === 0 ? "none yet" : `${plural(samples, "sample")}, means ${text.join(", ")}`,
    });
  }
  return lines;
}
