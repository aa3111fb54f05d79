/** A job as storage keeps it, and its bytes. The engine (create-jobs.ts) decides what becomes of it. */
import { randomBytes } from "node:crypto";
import { decode, encode } from "cborg";
import { z } from "zod";
import { jobSummary } from "../../bus/operations/task.js";
import { OperationFailure } from "../operations/operation.js";

/** How a job was told to end before it ended by itself. */
const endingSchema = z.object({
  state: z.enum(["cancelled", "superseded", "failed"]),
  text: z.string(),
  error: jobSummary.shape.error,
});

const recordSchema = z.object({
  summary: jobSummary,
  /** Absent when it has ended. */
  input: z.record(z.string(), z.unknown()).optional(),
  /** ms since 1970. */
  deadlineAt: z.number().optional(),
  identity: z.string().optional(),
  /** Of several workers of the node, the one that it belongs to. */
  worker: z.string().optional(),
  ending: endingSchema.optional(),
  /** How often it was started since its last checkpoint: one that kills the node each time is not started for ever. */
  starts: z.number().int().min(0),
});

export type Ending = z.infer<typeof endingSchema>;
export type JobRecord = z.infer<typeof recordSchema>;

/** Bytes of one kept value: inputs, results and checkpoints are bounded by it. */
export const largestValue = 4 * 1024 * 1024;

/**
 * CBOR of plain values; undefined members are left out.
 * @throws OperationFailure too-large; internal for what has no CBOR (a function, a class of its own)
 */
export function encodeValue(value: unknown): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = encode(withoutUndefined(value, 0));
  } catch (error) {
    throw new OperationFailure("internal", `cannot be kept: ${String(error)}`);
  }
  if (bytes.length > largestValue) throw new OperationFailure("too-large", "more than a job keeps");
  return bytes;
}

/** @throws Error when these are not bytes of `encodeValue`. */
export function decodeValue(bytes: Uint8Array): unknown {
  // Maps first: a text key such as "__proto__" must stay a key.
  return plain(decode(bytes, { useMaps: true }));
}

/** @throws Error when it is not a record of this version. */
export function decodeRecord(bytes: Uint8Array): JobRecord {
  return recordSchema.parse(decodeValue(bytes));
}

/** @throws Error when it is not an ending of this version. */
export function decodeEnding(bytes: Uint8Array): Ending {
  return endingSchema.parse(decodeValue(bytes));
}

const deepest = 64;

function withoutUndefined(value: unknown, depth: number): unknown {
  if (depth > deepest) throw new Error("nested too deeply");
  if (Array.isArray(value)) return value.map((item) => withoutUndefined(item, depth + 1) ?? null);
  if (value instanceof Map) return withoutUndefined(Object.fromEntries(value), depth);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return new Map(
    Object.entries(value)
      .filter(([, content]) => content !== undefined)
      .map(([name, content]) => [name, withoutUndefined(content, depth + 1)]),
  );
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  // fromEntries defines members, it does not assign them.
  return Object.fromEntries([...value].map(([name, content]) => [String(name), plain(content)]));
}

let last = 0;

/** Ids that were given before this process: later ones sort behind them, also when the clock was set back. */
export function jobIdsContinueAfter(id: string): void {
  const time = parseInt(id.slice(0, 9), 36);
  if (Number.isFinite(time)) last = Math.max(last, time);
}

/** Unique, in order of time: "0m3k9x2a1-5f0c9a1b". */
export function newJobId(now = Date.now()): string {
  last = Math.max(now, last + 1);
  return `${last.toString(36).padStart(9, "0")}-${randomBytes(4).toString("hex")}`;
}
