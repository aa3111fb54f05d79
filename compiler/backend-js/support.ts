/**
 * What emitted JavaScript calls: traps, checked arithmetic, conversions, strings, log, bindings. Its meaning is that
 * of `runtime-c/include/tmc/tmc.h`, bit for bit. One instance per process: firmware modules share bindings and log.
 */
import { UserError } from "../diagnostics/user-error.js";
import type { Type } from "../ir/types.js";
import { checkHostValue } from "./host-value.js";
import { standardBindings } from "./std-bindings.js";

export type TrapKind = "index" | "null" | "division" | "overflow" | "capacity" | "throw" | "stack" | "assert";

/** Numbers of tmc_trap_kind. */
export const trapNumbers: Readonly<Record<TrapKind, number>> = {
  index: 1,
  null: 2,
  division: 3,
  overflow: 4,
  capacity: 5,
  throw: 6,
  stack: 7,
  assert: 8,
};

/** A trap or a thrown error of the program. `where` is `file:line:col`. */
export class TmcTrap extends Error {
  constructor(
    readonly kind: TrapKind,
    readonly where: string,
    readonly text = "",
  ) {
    super(text === "" ? `trap: ${kind} at ${where}` : `${text} (at ${where})`);
    this.name = "TmcTrap";
  }

  /** The number a device reports for this place. */
  get site(): number {
    return siteOf(this.where, this.kind);
  }
}

let siteNumbers = new Map<string, number>();

/** Numbers of the build's site table, `file:line:col kind` → site, so that both sides report the same. */
export function setSites(
  sites: readonly {
    readonly site: number;
    readonly kind: string;
    readonly file: string;
    readonly line: number;
    readonly col: number;
  }[],
): void {
  siteNumbers = new Map();
  for (const s of sites) {
    const where = `${s.file}:${s.line}:${s.col}`;
    siteNumbers.set(`${where} ${s.kind}`, s.site);
    if (!siteNumbers.has(where)) siteNumbers.set(where, s.site);
  }
}

function siteOf(where: string, kind: TrapKind): number {
  const known = siteNumbers.get(`${where} ${kind}`) ?? siteNumbers.get(where);
  if (known !== undefined) return known;
  const next = siteNumbers.size + 1;
  siteNumbers.set(where, next);
  return next;
}

export function trap(kind: TrapKind, where: string): never {
  throw new TmcTrap(kind, where);
}

export function throwError(message: string, where: string): never {
  throw new TmcTrap("throw", where, message);
}

export interface CaughtTrap {
  readonly kind: TrapKind;
  readonly site: number;
  readonly message: string;
}
const caughtFrom = new WeakMap<CaughtTrap, TmcTrap>();

/** What `catch (e)` binds. Anything that is not a trap of the program passes through. */
export function caught(e: unknown, where: string): CaughtTrap {
  const t = asTrap(e, where);
  if (t === undefined) throw e;
  const info = { kind: t.kind, site: t.site, message: t.text };
  caughtFrom.set(info, t);
  return info;
}

/** JavaScript's own stack overflow is the stack trap. */
export function asTrap(e: unknown, where = "?:0:0"): TmcTrap | undefined {
  if (e instanceof TmcTrap) return e;
  if (e instanceof RangeError && /call stack/i.test(e.message)) return new TmcTrap("stack", where);
  return undefined;
}

export function rethrow(info: CaughtTrap): never {
  throw caughtFrom.get(info) ?? new TmcTrap(info.kind, placeOf(info), info.message);
}

/** The place behind a site number, for what an async function kept of a trap. */
function placeOf(info: CaughtTrap): string {
  for (const [where, site] of siteNumbers) if (site === info.site) return where.split(" ")[0] ?? where;
  return "?:0:0";
}

// ---- checks ----

export function ix(i: number, length: number, where: string): number {
  if (i >>> 0 >= length) trap("index", where);
  return i;
}

export function at<T>(a: ArrayLike<T>, i: number, where: string): T {
  if (i >>> 0 >= a.length) trap("index", where);
  return a[i] as T;
}

export function put<T>(
  a: { [index: number]: T; readonly length: number },
  i: number,
  value: T,
  where: string,
): T {
  if (i >>> 0 >= a.length) trap("index", where);
  a[i] = value;
  return value;
}

/** What an iterator gives as its `i`th: a loop over a Map goes on there after a wait. */
export function entryAt<T>(list: Iterator<T>, i: number, where: string): T {
  let next = list.next();
  for (let n = 0; n < i && next.done !== true; n++) next = list.next();
  if (next.done === true) return trap("index", where);
  return next.value;
}

export function notNull<T>(x: T | null | undefined, where: string): T {
  if (x === null || x === undefined) return trap("null", where);
  return x;
}

export function assert(condition: boolean, where: string): void {
  if (!condition) trap("assert", where);
}

// ---- integers ----

export function divI32(a: number, b: number, where: string): number {
  if (b === 0) trap("division", where);
  return (a / b) | 0;
}
export function remI32(a: number, b: number, where: string): number {
  if (b === 0) trap("division", where);
  return (a % b) | 0;
}
export function divU32(a: number, b: number, where: string): number {
  if (b === 0) trap("division", where);
  return (a / b) >>> 0;
}
export function remU32(a: number, b: number, where: string): number {
  if (b === 0) trap("division", where);
  return (a % b) >>> 0;
}

function exactI32(v: number, where: string): number {
  if (v < -2147483648 || v > 2147483647) trap("overflow", where);
  return v | 0;
}
function exactU32(v: number, where: string): number {
  if (v < 0 || v > 4294967295) trap("overflow", where);
  return v >>> 0;
}
export const addI32 = (a: number, b: number, where: string): number => exactI32(a + b, where);
export const subI32 = (a: number, b: number, where: string): number => exactI32(a - b, where);
export const negI32 = (a: number, where: string): number => exactI32(-a, where);
export const addU32 = (a: number, b: number, where: string): number => exactU32(a + b, where);
export const subU32 = (a: number, b: number, where: string): number => exactU32(a - b, where);
/** Products of 32-bit integers can exceed 2^53; comparing the rounded product with the bounds is still exact. */
export function mulI32(a: number, b: number, where: string): number {
  const v = a * b;
  if (v < -2147483648 || v > 2147483647) trap("overflow", where);
  return Math.imul(a, b);
}
export function mulU32(a: number, b: number, where: string): number {
  if (a * b > 4294967295) trap("overflow", where);
  return Math.imul(a, b) >>> 0;
}
export function fit(v: number, lo: number, hi: number, where: string): number {
  if (v < lo || v > hi) trap("overflow", where);
  return v;
}
export const clamp = (v: number, lo: number, hi: number): number => (v < lo ? lo : v > hi ? hi : v);

/** Float to integer: truncates and saturates, NaN gives 0. */
export function toInt(v: number, lo: number, hi: number): number {
  if (Number.isNaN(v)) return 0;
  if (v <= lo) return lo;
  if (v >= hi) return hi;
  return Math.trunc(v) + 0;
}

// ---- 64-bit integers ----

export {
  clampBig,
  divBig,
  exactI64,
  exactU64,
  f32OfBig,
  remBig,
  shl,
  shr,
  toI64,
  toU64,
} from "./big-support.js";

// ---- bits of floats ----

const bitBuffer = new DataView(new ArrayBuffer(8));
export function f32Bits(x: number): number {
  if (Number.isNaN(x)) return 0x7fc00000;
  bitBuffer.setFloat32(0, x);
  return bitBuffer.getUint32(0);
}
export function f32FromBits(bits: number): number {
  bitBuffer.setUint32(0, bits);
  return bitBuffer.getFloat32(0);
}
export function f64Bits(x: number): bigint {
  if (Number.isNaN(x)) return 0x7ff8000000000000n;
  bitBuffer.setFloat64(0, x);
  return bitBuffer.getBigUint64(0);
}
export function f64FromBits(bits: bigint): number {
  bitBuffer.setBigUint64(0, bits);
  return bitBuffer.getFloat64(0);
}

// ---- strings and arrays ----

export function charCodeAt(s: string, i: number, where: string): number {
  if (i >>> 0 >= s.length) trap("index", where);
  return s.charCodeAt(i);
}

export function textView(bytes: Uint8Array, start: number, end: number): string {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // A view of a large buffer costs what it shows, not what the buffer holds.
  return start >= 0 ? whole.toString("latin1", start, end) : whole.toString("latin1").slice(start, end);
}

interface Settable<S> {
  readonly length: number;
  set(source: S, offset: number): void;
}
export function arraySet<S extends { readonly length: number }>(
  target: Settable<S>,
  source: S,
  offset: number,
  where: string,
): void {
  if (offset < 0 || offset + source.length > target.length) trap("index", where);
  target.set(source, offset);
}

export function filled<T>(length: number, value: T): T[] {
  if (length < 0) throw new RangeError(`Invalid array length: ${length}`);
  return Array.from({ length }, () => value);
}

/** The storage of bounded containers. */
export class Slots<T> {
  readonly items: (T | undefined)[];
  constructor(readonly capacity: number) {
    this.items = new Array<T | undefined>(capacity).fill(undefined);
  }
  get(i: number, where = "?:0:0"): T {
    if (i >>> 0 >= this.capacity) trap("index", where);
    const v = this.items[i];
    if (v === undefined) throw new Error(`a slot was read before it was written (${where})`);
    return v;
  }
  set(i: number, value: T, where = "?:0:0"): void {
    if (i >>> 0 >= this.capacity) trap("index", where);
    this.items[i] = value;
  }
}

/** Evaluates both, gives the first: `x++` as a value. */
export const first = <T>(a: T, _b: T): T => a;

// ---- log ----

export type LogSink = (line: string) => void;
let sink: LogSink = (line) => process.stdout.write(`${line}\n`, "latin1");

/** Where `log` prints; returns the former sink. */
export function setLogSink(next: LogSink): LogSink {
  const before = sink;
  sink = next;
  return before;
}

export function log(...values: (number | bigint | boolean | string)[]): void {
  sink(values.map(String).join(" "));
}

// ---- bindings: `declare function` with @binding ----

export type Binding = (...args: never[]) => unknown;
const bindings = new Map<string, Binding>(standardBindings);

/** Gives C functions their host side, by C name (or `setup:name`). Later ones replace earlier ones. */
export function bind(functions: Readonly<Record<string, Binding>>): void {
  for (const [name, f] of Object.entries(functions)) bindings.set(name, f);
}

export function extern(name: string): (...args: unknown[]) => unknown {
  const f = bindings.get(name);
  if (f === undefined) {
    throw new UserError(
      "TMC2010",
      `nothing on this host implements \`${name}\``,
      "bind it before the program runs: `bind({ " + JSON.stringify(name) + ": (…) => … })`",
    );
  }
  return f as (...args: unknown[]) => unknown;
}

// ---- what setup leaves for the snapshot ----

export interface LambdaTag {
  readonly id: string;
  readonly captures: () => unknown[];
  readonly self: unknown;
}
const lambdas = new WeakMap<object, LambdaTag>();
const literals = new WeakMap<object, string>();
const entries: { readonly name: string; readonly handler: object }[] = [];

export function lambda<F extends object>(f: F, id: string, captures: () => unknown[], self: unknown): F {
  lambdas.set(f, { id, captures, self });
  return f;
}
export const lambdaTag = (f: object): LambdaTag | undefined => lambdas.get(f);

/** Remembers the interface an object literal was declared as. */
export function literal<T extends object>(o: T, decl: string): T {
  literals.set(o, decl);
  return o;
}
export const literalTag = (o: object): string | undefined => literals.get(o);

let onEntry: ((name: string, handler: object) => void) | undefined;

/** Who else learns of handlers as they are registered: a simulated platform that will call them. */
export function setEntryListener(listener: ((name: string, handler: object) => void) | undefined): void {
  onEntry = listener;
}

export function entry(name: string, handler: object): void {
  entries.push({ name, handler });
  onEntry?.(name, handler);
}

/** The handlers registered since the last call. */
export function takeEntries(): readonly { readonly name: string; readonly handler: object }[] {
  return entries.splice(0, entries.length);
}

/** A value of setup that enters typed code: checked now, at build time. */
export function fromHost(value: unknown, type: Type, where: string): unknown {
  return checkHostValue(value ?? null, type, where);
}
