/** Checks of decoded payloads against docs/protocol.cddl, written by hand for the kit. A check says what is wrong, or nothing. */
import type { CborMap } from "./wire.js";

export type Check = (value: unknown, at: string) => string[];

const wrong = (at: string, expected: string, value: unknown): string[] => [
  `${at}: expected ${expected}, got ${value instanceof Map ? "a map" : JSON.stringify(value)?.slice(0, 40)}`,
];

export const uint =
  (max = 0xffffffff): Check =>
  (value, at) =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max
      ? []
      : wrong(at, `an integer of 0-${max}`, value);
export const int: Check = (value, at) => (Number.isInteger(value) ? [] : wrong(at, "an integer", value));
export const number: Check = (value, at) =>
  typeof value === "number" && Number.isFinite(value) ? [] : wrong(at, "a number", value);
export const bool: Check = (value, at) => (typeof value === "boolean" ? [] : wrong(at, "a boolean", value));
export const bytes: Check = (value, at) => (value instanceof Uint8Array ? [] : wrong(at, "bytes", value));
export const text =
  (pattern: RegExp): Check =>
  (value, at) =>
    typeof value === "string" && pattern.test(value) ? [] : wrong(at, `text like ${pattern}`, value);
export const shortText: Check = (value, at) =>
  typeof value === "string" && Buffer.byteLength(value) <= 64 ? [] : wrong(at, "text of 64 bytes", value);
export const is =
  (...values: readonly unknown[]): Check =>
  (value, at) =>
    values.includes(value) ? [] : wrong(at, values.join(" or "), value);
export const list =
  (of: Check, least = 0, most = Infinity): Check =>
  (value, at) =>
    Array.isArray(value) && value.length >= least && value.length <= most
      ? value.flatMap((item, i) => of(item, `${at}[${i}]`))
      : wrong(at, `a list of ${least} to ${most}`, value);

/** A keyed map; it may have further integer keys. `optional` keys are checked where they are. */
export const keyed =
  (required: Readonly<Record<number, Check>>, optional: Readonly<Record<number, Check>> = {}): Check =>
  (value, at) => {
    if (!(value instanceof Map)) return wrong(at, "a map", value);
    const found = value as CborMap;
    const bad: string[] = [];
    for (const [key, check] of Object.entries(required)) {
      if (!found.has(Number(key))) bad.push(`${at}: key ${key} is missing`);
      else bad.push(...check(found.get(Number(key)), `${at}.${key}`));
    }
    for (const [key, check] of Object.entries(optional)) {
      if (found.has(Number(key))) bad.push(...check(found.get(Number(key)), `${at}.${key}`));
    }
    for (const key of found.keys()) if (!Number.isInteger(key)) bad.push(`${at}: key ${String(key)}`);
    return bad;
  };
/** A map of any keys of one kind. */
export const table =
  (key: Check, item: Check): Check =>
  (value, at) =>
    value instanceof Map
      ? [...(value as CborMap)].flatMap(([k, v]) => [...key(k, `${at} key`), ...item(v, `${at}.${k}`)])
      : wrong(at, "a map", value);

// ---- the maps of the protocol -----------------------------------------------------------------------------

export const nodeId = text(/^[0-9a-z-]{1,23}$/);
export const name = text(/^[a-z0-9._-]{1,32}$/);
const unit = text(/^.{1,15}$/u);

export const descriptor = keyed(
  {},
  {
    0: uint(8),
    1: list(int, 0, 6),
    2: uint(4),
    3: number,
    4: unit,
    5: number,
    6: int,
    7: uint(4),
    8: list(shortText),
    9: list(shortText),
    10: uint(Number.MAX_SAFE_INTEGER),
    11: uint(Number.MAX_SAFE_INTEGER),
    12: uint(Number.MAX_SAFE_INTEGER),
    13: bytes,
  },
);

const sensor = keyed(
  { 0: name, 1: uint() },
  { 2: unit, 3: number, 4: number, 5: list(shortText), 6: list(number, 2, 2) },
);
const actuator = keyed({ 0: name, 1: uint(), 2: shortText, 3: list(number, 2, 2) }, { 4: list(shortText) });
const model = keyed(
  { 0: name, 1: shortText, 4: list(descriptor, 1), 5: list(descriptor, 1) },
  { 2: bytes, 3: shortText, 6: shortText, 7: shortText, 8: list(shortText), 9: table(int, uint(2 ** 48)) },
);
const func = keyed({ 0: name, 1: shortText }, { 2: descriptor, 3: descriptor, 4: uint(2), 7: uint() });

export const birth = keyed(
  {
    0: is(1),
    1: nodeId,
    2: uint(),
    3: is(0, 1),
    4: name,
    5: shortText,
    6: uint(),
    7: uint(),
    8: list(name, 1),
  },
  {
    9: list(sensor, 1),
    10: list(model, 1),
    11: list(func, 1),
    12: list(shortText, 1),
    13: list(actuator, 1),
  },
);

export const counters = keyed({
  0: uint(),
  1: uint(),
  2: uint(),
  3: uint(),
  4: uint(),
  5: uint(),
  6: uint(),
  7: uint(),
  8: table(uint(16), uint()),
});

export const state = keyed(
  { 0: is(1), 1: nodeId, 2: uint(), 3: bool },
  { 4: uint(6), 5: uint(), 6: uint(), 7: counters },
);

/** [min, max, mean, variance, [count of each bin]] */
const feature: Check = (value, at) =>
  Array.isArray(value) && value.length === 5
    ? [...value.slice(0, 4).flatMap((each) => number(each, at)), ...list(uint())(value[4], `${at}.4`)]
    : [`${at}: not 5 values`];

export const monitor = keyed(
  { 0: uint(), 1: uint(), 2: uint(6), 3: uint(), 4: counters, 5: uint() },
  {
    7: uint(),
    8: keyed({ 0: uint(), 1: uint(), 2: uint() }),
    9: keyed({ 0: uint(), 1: uint(), 2: uint(), 3: shortText }),
    10: keyed({ 0: uint(8), 1: uint() }),
    11: list(keyed({ 0: shortText, 1: uint(), 2: uint(), 3: list(feature) })),
  },
);

export const event = keyed({ 0: is(1), 1: nodeId, 2: uint(), 3: uint(), 4: name, 5: () => [] });

const error = keyed(
  { 0: (value, at) => (value === 0 ? [`${at}: 0 is no error`] : uint(16)(value, at)) },
  { 1: shortText, 2: shortText, 3: uint(), 4: uint(8), 5: uint() },
);

export const answer = keyed(
  { 0: is(1), 1: uint(), 2: uint(), 4: is(1, 2), 5: nodeId },
  {
    3: nodeId,
    6: error,
    7: (value, at) => (value instanceof Map ? [] : [`${at}: no map`]),
    8: (value, at) =>
      value instanceof Uint8Array || typeof value === "string" ? [] : [`${at}: neither bytes nor text`],
    9: descriptor,
    10: uint(),
    11: uint(),
  },
);

export const request = keyed(
  { 0: is(1), 1: uint(), 2: uint(), 3: nodeId, 4: name },
  {
    5: keyed({}, { 0: shortText, 1: shortText, 2: nodeId, 3: list(shortText) }),
    8: descriptor,
    9: descriptor,
    10: uint(),
    11: uint(255),
    12: uint(255),
    13: list(nodeId),
  },
);
