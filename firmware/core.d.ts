/**
 * The global declarations of the subset: this file is the whole library (`noLib`). What is not here does not exist.
 * Members marked `@setup` may be used by code that runs at build time only; using one from a handler is an error.
 */

// ---- numbers: flavoured aliases that list what widens into them without loss ----
type i8 = number & { readonly __num?: "i8" };
type u8 = number & { readonly __num?: "u8" };
type i16 = number & { readonly __num?: "i16" | "i8" | "u8" };
type u16 = number & { readonly __num?: "u16" | "u8" };
type i32 = number & { readonly __num?: "i32" | "i16" | "u16" | "i8" | "u8" };
type u32 = number & { readonly __num?: "u32" | "u16" | "u8" };
type f32 = number & { readonly __num?: "f32" | "i16" | "u16" | "i8" | "u8" };
type f64 = number & {
  readonly __num?: "f64" | "f32" | "i32" | "u32" | "i16" | "u16" | "i8" | "u8";
};

// 64-bit integers are bigints, with literals as `5n`: they never mix with numbers.
type i64 = bigint & { readonly __num?: "i64" };
type u64 = bigint & { readonly __num?: "u64" };

/** Conversions. Integer to integer keeps the low bits; float to integer truncates and saturates, NaN gives 0. */
declare function i8(x: number | bigint | boolean): i8;
declare function u8(x: number | bigint | boolean): u8;
declare function i16(x: number | bigint | boolean): i16;
declare function u16(x: number | bigint | boolean): u16;
declare function i32(x: number | bigint | boolean): i32;
declare function u32(x: number | bigint | boolean): u32;
declare function f32(x: number | bigint | boolean): f32;
declare function f64(x: number | bigint | boolean): f64;

declare function i64(x: number | bigint | boolean): i64;
declare function u64(x: number | bigint | boolean): u64;

/** Saturating conversions of integers: out of range gives the nearest bound. */
declare const sat: {
  i8(x: number | bigint): i8;
  u8(x: number | bigint): u8;
  i16(x: number | bigint): i16;
  u16(x: number | bigint): u16;
};

/** Prints its arguments on one line, joined by a space. */
declare function log(...values: (number | bigint | boolean | string)[]): void;

/** Traps with kind `assert` when the condition is false. */
declare function assert(condition: boolean): asserts condition;

/** The bits of an IEEE-754 single (NaN is canonical) and back. */
declare function f32Bits(x: f32): u32;
declare function f32FromBits(bits: u32): f32;

/** The bits of an IEEE-754 double (NaN is canonical) and back. */
declare function f64Bits(x: f64): u64;
declare function f64FromBits(bits: u64): f64;

/** A borrowed view of bytes [start, end) as a byte string; on the host one UTF-16 unit per byte. */
declare function textView(bytes: Uint8Array, start: i32, end: i32): string;

/** The UTF-8 bytes of a literal as a byte string, computed at build time. */
declare function utf8(literal: string): string;

/** A fixed array of `length` elements, each `value`. @setup */
declare function filled<T>(length: i32, value: T): T[];

/** The text of a file beside the program, at build time. @setup */
declare function assetText(path: string): string;
/** The bytes of a file beside the program, at build time. @setup */
declare function assetBytes(path: string): Uint8Array;

// ---- what TypeScript itself asks for ----
interface Object {}
interface Function {}
interface CallableFunction extends Function {}
interface NewableFunction extends Function {}
interface IArguments {}
interface RegExp {}
interface TemplateStringsArray {}
interface SymbolConstructor {
  readonly iterator: unique symbol;
}
declare var Symbol: SymbolConstructor;
interface Symbol {}
interface IteratorYieldResult<T> {
  done?: false;
  value: T;
}
interface IteratorReturnResult<R> {
  done: true;
  value: R;
}
type IteratorResult<T, R = void> = IteratorYieldResult<T> | IteratorReturnResult<R>;
interface Iterator<T, R = void, N = void> {
  next(...args: [] | [N]): IteratorResult<T, R>;
}
interface Iterable<T, R = void, N = void> {
  [Symbol.iterator](): Iterator<T, R, N>;
}
interface IterableIterator<T, R = void, N = void> extends Iterator<T, R, N> {
  [Symbol.iterator](): IterableIterator<T, R, N>;
}
type Partial<T> = { [P in keyof T]?: T[P] };
type Readonly<T> = { readonly [P in keyof T]: T[P] };
type Record<K extends string | number, T> = { [P in K]: T };

/**
 * What an async function gives. It is waited for with `await`, or given to `task` by a function that returns it;
 * it is not a value that can be kept.
 */
interface Promise<T> {
  /** For TypeScript: the subset has `await` only. */
  then<R>(onfulfilled: (value: T) => R): Promise<R>;
}
declare const Promise: {
  /** Waits for all calls in an array literal: `await Promise.all([f(), g()])`. A trap of one ends the wait. */
  all<T extends readonly unknown[] | []>(calls: T): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }>;
};
interface PromiseLike<T> {
  then<R>(onfulfilled: (value: T) => R): PromiseLike<R>;
}
type Awaited<T> = T extends PromiseLike<infer U> ? Awaited<U> : T;

interface Boolean {}
interface BigInt {
  /** @setup */
  toString(radix?: i32): string;
}
declare const BigInt: {
  /** The low `bits` (a constant from 1 to 64) as a signed number. What `x` computes may wrap. */
  asIntN(bits: number, x: bigint): i64;
  /** The same, unsigned. */
  asUintN(bits: number, x: bigint): u64;
};
interface Number {
  /** @setup */
  toString(radix?: i32): string;
  /** @setup */
  toFixed(digits?: i32): string;
}
/** A byte string: indices, lengths and codes are bytes. */
interface String {
  readonly length: i32;
  /** 0..255; traps outside the string. */
  charCodeAt(index: i32): i32;
  slice(start?: i32, end?: i32): string;
  indexOf(needle: string, from?: i32): i32;
  startsWith(prefix: string): boolean;
  endsWith(suffix: string): boolean;
  includes(needle: string): boolean;
  /** @setup */
  split(separator: string): string[];
  /** @setup */
  toUpperCase(): string;
  /** @setup */
  toLowerCase(): string;
  /** @setup */
  trim(): string;
  /** @setup */
  padStart(length: i32, fill?: string): string;
  /** @setup */
  padEnd(length: i32, fill?: string): string;
  /** @setup */
  repeat(count: i32): string;
  /** @setup */
  replaceAll(from: string, to: string): string;
}
declare const String: {
  /** @setup */
  fromCharCode(...codes: number[]): string;
};

interface Error {
  readonly message: string;
}
declare const Error: { new (message: string): Error };
/** What `catch (e)` gives. */
interface Trap {
  readonly kind: "index" | "null" | "division" | "overflow" | "capacity" | "throw" | "stack" | "assert";
  /** A number that the build's site map turns into file:line. */
  readonly site: i32;
  /** The literal of `throw new Error("...")`; empty for other kinds. */
  readonly message: string;
}

declare const NaN: f64;
declare const Infinity: f64;

/** Exact functions; the result has the type of the operands. Transcendental ones are in the standard library. */
declare const Math: {
  readonly PI: f64;
  readonly E: f64;
  readonly LN2: f64;
  readonly SQRT2: f64;
  abs(x: number): number;
  min(a: number, b: number, ...more: number[]): number;
  max(a: number, b: number, ...more: number[]): number;
  floor(x: number): number;
  ceil(x: number): number;
  trunc(x: number): number;
  round(x: number): number;
  sign(x: number): number;
  sqrt(x: number): number;
  imul(a: number, b: number): i32;
  clz32(x: number): i32;
  fround(x: number): f32;
  /** @setup */
  sin(x: number): f64;
  /** @setup */
  cos(x: number): f64;
  /** @setup */
  tan(x: number): f64;
  /** @setup */
  atan2(y: number, x: number): f64;
  /** @setup */
  exp(x: number): f64;
  /** @setup */
  log(x: number): f64;
  /** @setup */
  log2(x: number): f64;
  /** @setup */
  log10(x: number): f64;
  /** @setup */
  pow(x: number, y: number): f64;
};

// ---- arrays: the length is fixed when setup ends ----
interface ReadonlyArray<T> {
  readonly length: i32;
  readonly [index: number]: T;
  [Symbol.iterator](): IterableIterator<T>;
  /** In `for (const [i, value] of array.entries())` only. */
  entries(): IterableIterator<[i32, T]>;
  /** @setup */
  map<U>(f: (value: T, index: i32) => U): U[];
  /** @setup */
  filter(f: (value: T, index: i32) => boolean): T[];
  /** @setup */
  forEach(f: (value: T, index: i32) => void): void;
  /** @setup */
  reduce<U>(f: (sum: U, value: T, index: i32) => U, start: U): U;
  /** @setup */
  some(f: (value: T) => boolean): boolean;
  /** @setup */
  every(f: (value: T) => boolean): boolean;
  /** @setup */
  indexOf(value: T): i32;
  /** @setup */
  includes(value: T): boolean;
  /** @setup */
  slice(start?: i32, end?: i32): T[];
  /** @setup */
  concat(...more: (readonly T[])[]): T[];
  /** @setup */
  join(separator?: string): string;
}
interface Array<T> extends ReadonlyArray<T> {
  readonly length: i32;
  [index: number]: T;
  [Symbol.iterator](): IterableIterator<T>;
  fill(value: T, start?: i32, end?: i32): T[];
  /** @setup */
  push(...values: T[]): i32;
  /** @setup */
  pop(): T | undefined;
  /** @setup */
  reverse(): T[];
  /** @setup */
  sort(compare: (a: T, b: T) => number): T[];
}
/** A read-only array placed in flash. */
type RomArray<T> = readonly T[];

interface TypedArray<T extends number | bigint, Self> {
  readonly length: i32;
  [index: number]: T;
  [Symbol.iterator](): IterableIterator<T>;
  /** In `for (const [i, value] of array.entries())` only. */
  entries(): IterableIterator<[i32, T]>;
  fill(value: T, start?: i32, end?: i32): Self;
  /** Copies `source` to `offset`; traps when it does not fit. */
  set(source: Self, offset?: i32): void;
  /** A borrowed view of [start, end), clamped as in JavaScript. */
  subarray(start?: i32, end?: i32): Self;
}
interface TypedArrayConstructor<T extends number | bigint, Self> {
  new (length: i32): Self;
  new (values: readonly T[]): Self;
  /** @setup */
  from(values: readonly (T extends bigint ? bigint : number)[]): Self;
}
interface Int8Array extends TypedArray<i8, Int8Array> {
  readonly __element?: "i8";
}
interface Uint8Array extends TypedArray<u8, Uint8Array> {
  readonly __element?: "u8";
}
interface Int16Array extends TypedArray<i16, Int16Array> {
  readonly __element?: "i16";
}
interface Uint16Array extends TypedArray<u16, Uint16Array> {
  readonly __element?: "u16";
}
interface Int32Array extends TypedArray<i32, Int32Array> {
  readonly __element?: "i32";
}
interface Uint32Array extends TypedArray<u32, Uint32Array> {
  readonly __element?: "u32";
}
interface BigInt64Array extends TypedArray<i64, BigInt64Array> {
  readonly __element?: "i64";
}
interface BigUint64Array extends TypedArray<u64, BigUint64Array> {
  readonly __element?: "u64";
}
interface Float32Array extends TypedArray<f32, Float32Array> {
  readonly __element?: "f32";
}
interface Float64Array extends TypedArray<f64, Float64Array> {
  readonly __element?: "f64";
}
declare const Int8Array: TypedArrayConstructor<i8, Int8Array>;
declare const Uint8Array: TypedArrayConstructor<u8, Uint8Array>;
declare const Int16Array: TypedArrayConstructor<i16, Int16Array>;
declare const Uint16Array: TypedArrayConstructor<u16, Uint16Array>;
declare const Int32Array: TypedArrayConstructor<i32, Int32Array>;
declare const Uint32Array: TypedArrayConstructor<u32, Uint32Array>;
declare const BigInt64Array: TypedArrayConstructor<i64, BigInt64Array>;
declare const BigUint64Array: TypedArrayConstructor<u64, BigUint64Array>;
declare const Float32Array: TypedArrayConstructor<f32, Float32Array>;
declare const Float64Array: TypedArrayConstructor<f64, Float64Array>;

/**
 * Storage of a bounded container: `capacity` slots that hold nothing yet. A container reads only slots it wrote:
 * reading an unwritten one traps on the host and gives a zero value on the device.
 */
declare class Slots<T> {
  constructor(capacity: i32);
  readonly capacity: i32;
  get(index: i32): T;
  set(index: i32, value: T): void;
}

/** Registers a handler under the name of a C entry `tmc_<name>`: what it reaches is run-phase code. @setup */
declare function entry<F>(name: string, handler: F): void;

// ---- collections ----
interface ReadonlyMap<K, V> {
  readonly size: i32;
  get(key: K): V | undefined;
  has(key: K): boolean;
  /** @setup */
  forEach(f: (value: V, key: K) => void): void;
  keys(): IterableIterator<K>;
  values(): IterableIterator<V>;
  entries(): IterableIterator<[K, V]>;
  [Symbol.iterator](): IterableIterator<[K, V]>;
}
/** Made and filled in setup; handlers read it (`get`, `has`, `size`, `for … of`). What changes at run time is a FixedMap. */
interface Map<K, V> extends ReadonlyMap<K, V> {
  /** @setup */
  set(key: K, value: V): this;
  /** @setup */
  delete(key: K): boolean;
  /** @setup */
  clear(): void;
}
declare const Map: { new <K, V>(entries?: ReadonlyMap<K, V> | readonly (readonly [K, V])[]): Map<K, V> };
interface ReadonlySet<T> {
  readonly size: i32;
  has(value: T): boolean;
  /** @setup */
  forEach(f: (value: T) => void): void;
  keys(): IterableIterator<T>;
  values(): IterableIterator<T>;
  [Symbol.iterator](): IterableIterator<T>;
}
/** Made and filled in setup; handlers read it (`has`, `size`, `for … of`). */
interface Set<T> extends ReadonlySet<T> {
  /** @setup */
  add(value: T): this;
  /** @setup */
  delete(value: T): boolean;
  /** @setup */
  clear(): void;
}
declare const Set: { new <T>(values?: ReadonlySet<T> | readonly T[]): Set<T> };
/** @setup */
declare const JSON: { stringify(value: unknown): string };
