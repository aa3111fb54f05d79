/**
 * How good a node is for the next request, in milliseconds that it is expected to cost; lower is better. The formula is
 * in docs/core-service.md.
 */

export interface ScoreInputs {
  /** -1: unknown. */
  readonly latencyMs: number;
  readonly inFlight: number;
  readonly queued: number;
  /** 0 mains … 3 harvested. */
  readonly energyClass: number;
}

export interface Score {
  readonly total: number;
  readonly parts: Readonly<Record<"latency" | "load" | "energy", number>>;
}

const unknownLatencyMs = 8;
const energyMs = 10;

/** Of the moving mean: the nearest power of two, so that noise does not change the choice. */
function latencyPart(latencyMs: number): number {
  return latencyMs < 0 ? unknownLatencyMs : 2 ** Math.round(Math.log2(Math.max(1, latencyMs)));
}

export function scoreOf(node: ScoreInputs): number {
  return latencyPart(node.latencyMs) * (1 + node.inFlight + node.queued) + node.energyClass * energyMs;
}

/** The same with its parts. */
export function scoreParts(node: ScoreInputs): Score {
  const latency = latencyPart(node.latencyMs);
  const parts = {
    latency,
    load: latency * (node.inFlight + node.queued),
    energy: node.energyClass * energyMs,
  };
  return { total: parts.latency + parts.load + parts.energy, parts };
}

const weight = 0.2;

/** The moving mean with one more round trip. */
export function smoothed(meanMs: number, nextMs: number): number {
  return meanMs < 0 ? nextMs : meanMs + weight * (nextMs - meanMs);
}

/** Of the label "energy:N", 0..3; default 1. */
export function energyClassOf(labels: readonly string[]): number {
  for (const label of labels) {
    const digit = /^energy:([0-3])$/.exec(label)?.[1];
    if (digit !== undefined) return Number(digit);
  }
  return 1;
}
