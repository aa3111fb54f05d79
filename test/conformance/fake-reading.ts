/** How the fake node reads a request: its bytes, and the types of its parts. */
import { decode } from "cborg";
import { Refusal, type Is } from "./fake-refusal.js";
import type { CborMap } from "./wire.js";

/** Undefined when it has no identity that could be read. */
export function read(is: Is, payload: Uint8Array): CborMap | undefined {
  try {
    const lenient = is("indefinite") || is("key order") || is("trailing");
    const strict = !is("long heads");
    const bytes = is("trailing") && payload.at(-1) === 0 ? payload.subarray(0, -1) : payload;
    const found: unknown = decode(bytes, {
      useMaps: true,
      strict: !strict,
      allowIndefinite: is("indefinite"),
      rejectDuplicateMapKeys: !is("key order"),
    });
    if (!(found instanceof Map)) return undefined;
    const keys = [...(found as CborMap).keys()];
    const ascending = keys.every(
      (each, i) => typeof each === "number" && (i === 0 || each > Number(keys[i - 1])),
    );
    return ascending || lenient ? (found as CborMap) : undefined;
  } catch {
    return undefined;
  }
}

export function checkTypes(is: Is, request: CborMap): void {
  const bad = (key: number, field: string, good: (value: unknown) => boolean): void => {
    if (request.has(key) && !good(request.get(key))) throw new Refusal(1, is("no field") ? undefined : field);
  };
  if (typeof request.get(4) !== "string") throw new Refusal(1, is("no field") ? undefined : "operation");
  const isMap = (value: unknown): boolean => value instanceof Map;
  const isUint = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
  bad(5, "selector", isMap);
  bad(6, "arguments", isMap);
  bad(7, "input", (value) => value instanceof Uint8Array || typeof value === "string");
  bad(8, "input.descriptor", isMap);
  bad(9, "accept", isMap);
  bad(10, "deadline", isUint);
  bad(11, "priority", isUint);
  bad(14, "brief", (value) => typeof value === "boolean");
}
