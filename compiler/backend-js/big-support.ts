/** What emitted JavaScript calls for i64 and u64: the checks, and the operations that `bigint` has not. */
import { trap } from "./support.js";

const least = -(1n << 63n);
const most = (1n << 63n) - 1n;
const mostUnsigned = (1n << 64n) - 1n;

export function exactI64(v: bigint, where: string): bigint {
  if (v < least || v > most) trap("overflow", where);
  return v;
}
export function exactU64(v: bigint, where: string): bigint {
  if (v < 0n || v > mostUnsigned) trap("overflow", where);
  return v;
}

/** Not yet modulo 2^64: the least i64 divided by -1 is outside. */
export function divBig(a: bigint, b: bigint, where: string): bigint {
  if (b === 0n) trap("division", where);
  return a / b;
}
export function remBig(a: bigint, b: bigint, where: string): bigint {
  if (b === 0n) trap("division", where);
  return a % b;
}

/** `a << n`; the low 64 bits are right whatever `n`, and no huge bigint is made. */
export function shl(a: bigint, n: bigint): bigint {
  if (n >= 64n) return 0n;
  return n < 0n ? a >> -n : a << n;
}
/** `a >> n` in the same way. */
export function shr(a: bigint, n: bigint): bigint {
  return n >= 0n ? a >> n : shl(a, -n);
}

/** Truncates and saturates; NaN gives 0. */
export function toI64(v: number): bigint {
  if (Number.isNaN(v)) return 0n;
  if (v <= -9223372036854775808) return least;
  return v >= 9223372036854775808 ? most : BigInt(Math.trunc(v));
}
export function toU64(v: number): bigint {
  if (!(v > 0)) return 0n;
  return v >= 18446744073709551616 ? mostUnsigned : BigInt(Math.trunc(v));
}

/** The nearest single, rounded once: a `Number` between could make a tie of what is none. */
export function f32OfBig(v: bigint): number {
  const abs = v < 0n ? -v : v;
  if (abs < 1n << 53n) return Math.fround(Number(v));
  // The low bits are below half a unit of the result: one of them stands for all.
  const single = Math.fround(Number(((abs >> 11n) << 11n) | ((abs & 0x7ffn) === 0n ? 0n : 0x800n)));
  return v < 0n ? -single : single;
}

export const clampBig = (v: bigint, lo: bigint, hi: bigint): number => Number(v < lo ? lo : v > hi ? hi : v);
