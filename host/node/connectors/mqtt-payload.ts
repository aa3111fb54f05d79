/** Numbers in the payloads of MQTT devices: plain text or JSON of anybody, so nothing here throws or takes long. */
import { parseNumber } from "./sysfs.js";

/** Longer payloads are no measurement. */
const payloadLimit = 4096;

/** A number, or one as text, or a switch: true, on, open are 1. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string" || value.length > 64) return undefined;
  const text = value.trim().toLowerCase();
  if (["on", "true", "open"].includes(text)) return 1;
  if (["off", "false", "closed"].includes(text)) return 0;
  return parseNumber(text);
}

/** The whole payload as one number. */
export function readPlain(payload: Uint8Array): number | undefined {
  return payload.length > payloadLimit ? undefined : numberIn(Buffer.from(payload).toString("utf8"));
}

/** One number for each path ("data.x", "axes.0") into a JSON payload; undefined when one is missing or is no number. */
export function readFields(payload: Uint8Array, paths: readonly string[]): number[] | undefined {
  if (payload.length > payloadLimit) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(payload).toString("utf8"));
  } catch {
    return undefined;
  }
  const values: number[] = [];
  for (const path of paths) {
    const value = numberIn(follow(document, path));
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function follow(document: unknown, path: string): unknown {
  let value = document;
  for (const step of path.split(".")) {
    // Own members only: a path must not reach what every object inherits.
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}
