/**
 * Latencies of finished requests by operation, over the last minutes, in bounded memory: a ring of time slices, each
 * with a logarithmic histogram. Percentiles are exact to the width of a bucket (19 %).
 */
import type { z } from "zod";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import type { RequestTrace } from "../core/core-service.js";
import type { operationTraffic } from "./schemas.js";

/** Four buckets an octave from 10 µs; 112 of them reach 45 minutes. */
const perOctave = 4;
const firstMs = 0.01;
const buckets = 112;

const slices = 60;
export const sliceS = 5;
const kept = 200;

interface Slice {
  /** Number of the slice since 1970; tells whether a place of the ring is of this turn. */
  number: number;
  count: number;
  errors: number;
  readonly histogram: Uint32Array;
}

const bucketOf = (ms: number): number =>
  Math.min(buckets - 1, Math.max(0, Math.ceil(perOctave * Math.log2(ms / firstMs))));

/** The middle of the bucket, geometrically. */
const msOf = (bucket: number): number => firstMs * 2 ** ((bucket - 0.5) / perOctave);

/** Undefined for an empty histogram. */
export function percentile(histogram: Uint32Array, share: number): number | undefined {
  const total = histogram.reduce((sum, n) => sum + n, 0);
  if (total === 0) return undefined;
  const wanted = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    seen += histogram[bucket] ?? 0;
    if (seen >= wanted) return msOf(bucket);
  }
  return msOf(buckets - 1);
}

/** Names outside the catalogue come from requests of strangers: they share one line, or memory would be theirs. */
export function knownOperation(name: string): string {
  return operationDefinition(name) === undefined ? "other" : name;
}

export class Traffic {
  private readonly byOperation = new Map<string, Slice[]>();
  private readonly traces: RequestTrace[] = [];
  /** Since the start. */
  total = 0;

  constructor(private readonly now: () => number = Date.now) {}

  add(trace: RequestTrace): void {
    this.total++;
    this.traces.push(trace);
    if (this.traces.length > kept) this.traces.shift();
    const slice = this.sliceNow(knownOperation(trace.request.operation));
    slice.count++;
    if (trace.error !== undefined) slice.errors++;
    const bucket = bucketOf(trace.totalMs);
    slice.histogram[bucket] = (slice.histogram[bucket] ?? 0) + 1;
  }

  /** Newest first. */
  recent(limit: number): RequestTrace[] {
    return this.traces.slice(-limit).reverse();
  }

  private sliceNow(operation: string): Slice {
    let ring = this.byOperation.get(operation);
    if (ring === undefined) {
      ring = Array.from({ length: slices }, () => ({
        number: -1,
        count: 0,
        errors: 0,
        histogram: new Uint32Array(buckets),
      }));
      this.byOperation.set(operation, ring);
    }
    const number = Math.floor(this.now() / 1000 / sliceS);
    const slice = ring[number % slices];
    if (slice === undefined) throw new Error("a ring has all its places");
    if (slice.number !== number) {
      slice.number = number;
      slice.count = 0;
      slice.errors = 0;
      slice.histogram.fill(0);
    }
    return slice;
  }

  /** End of the newest slice, ms since 1970. */
  endsAt(): number {
    return (Math.floor(this.now() / 1000 / sliceS) + 1) * sliceS * 1000;
  }

  /** Every operation that ended in the time that is looked at, busiest first. */
  operations(): z.infer<typeof operationTraffic>[] {
    const newest = Math.floor(this.now() / 1000 / sliceS);
    const all = [...this.byOperation].map(([operation, ring]) => {
      const inOrder = Array.from({ length: slices }, (_, i) => {
        const number = newest - slices + 1 + i;
        const slice = ring[number % slices];
        return slice?.number === number ? slice : undefined;
      });
      const whole = new Uint32Array(buckets);
      for (const slice of inOrder) slice?.histogram.forEach((n, i) => (whole[i] = (whole[i] ?? 0) + n));
      const p50 = percentile(whole, 0.5);
      const p99 = percentile(whole, 0.99);
      return {
        operation,
        count: inOrder.reduce((sum, slice) => sum + (slice?.count ?? 0), 0),
        errors: inOrder.reduce((sum, slice) => sum + (slice?.errors ?? 0), 0),
        ...(p50 === undefined ? {} : { p50Ms: p50 }),
        ...(p99 === undefined ? {} : { p99Ms: p99 }),
        series: {
          perS: inOrder.map((slice) => (slice?.count ?? 0) / sliceS),
          errorsPerS: inOrder.map((slice) => (slice?.errors ?? 0) / sliceS),
          p50Ms: inOrder.map((slice) =>
            slice === undefined ? null : (percentile(slice.histogram, 0.5) ?? null),
          ),
          p99Ms: inOrder.map((slice) =>
            slice === undefined ? null : (percentile(slice.histogram, 0.99) ?? null),
          ),
        },
      };
    });
    return all
      .filter((each) => each.count > 0)
      .sort((a, b) => b.count - a.count || (a.operation < b.operation ? -1 : 1));
  }
}
