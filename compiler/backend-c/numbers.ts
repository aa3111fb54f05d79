/** Constants and number conversions as C expressions: exact, and silent under -Wconversion. */
import { intRange, isBig, isFloat, type BigKind, type NumKind } from "../ir/types.js";
import { call, cast, lit, type CExpr } from "./c-ast.js";
import { numTypes } from "./c-types.js";

/** The exact hexadecimal notation of a finite, non-negative number. */
export function hexFloat(v: number): string {
  if (v === 0) return "0x0p+0";
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, v);
  const high = view.getUint32(0);
  const low = view.getUint32(4);
  const exponent = (high >>> 20) & 0x7ff;
  const mantissa = (
    (high & 0xfffff).toString(16).padStart(5, "0") + low.toString(16).padStart(8, "0")
  ).replace(/0+$/, "");
  const lead = exponent === 0 ? 0 : 1;
  const power = (exponent === 0 ? 1 : exponent) - 1023;
  return `0x${lead}${mantissa === "" ? "" : `.${mantissa}`}p${power < 0 ? "" : "+"}${power}`;
}

function floatText(v: number, suffix: "" | "f"): string {
  const abs = Math.abs(v);
  // Small whole numbers and simple fractions read better in decimal and are exact there too.
  const simple = abs < 1e6 && Number.isInteger(abs * 64) && /^\d+(\.\d{1,6})?$/.test(String(abs));
  const digits = simple ? (Number.isInteger(abs) ? `${abs}.0` : String(abs)) : hexFloat(abs);
  return (v < 0 || Object.is(v, -0) ? "-" : "") + digits + suffix;
}

/** A constant of a number kind. */
export function numberConstant(n: NumKind, v: number): CExpr {
  if (n === "f32" || n === "f64") {
    const suffix = n === "f32" ? "f" : "";
    if (Number.isNaN(v)) return call(`__builtin_nan${suffix}`, lit('""'));
    if (v === Infinity) return call(`__builtin_inf${suffix}`);
    if (v === -Infinity) return lit(`-__builtin_inf${suffix}()`);
    return lit(floatText(v, suffix));
  }
  if (n === "u32") return lit(v >= 0x10000 ? `0x${v.toString(16)}U` : `${v}U`);
  if (v === -2147483648) return lit("INT32_MIN");
  return lit(String(v === 0 ? 0 : v));
}

/** A constant of a 64-bit kind, of that type in C whatever it meets. */
export function bigConstant(n: BigKind, v: bigint): CExpr {
  if (n === "u64") return lit(`UINT64_C(${v >= 0x10000n ? `0x${v.toString(16)}` : v})`);
  if (v === -(1n << 63n)) return lit("INT64_MIN");
  return lit(v < 0n ? `-INT64_C(${-v})` : `INT64_C(${v})`);
}

const bound = (v: number): CExpr =>
  v === -2147483648 ? lit("INT32_MIN") : v === 2147483647 ? lit("INT32_MAX") : lit(String(v));

/** `num` conversion of a value of kind `from` (or a bool) to kind `to`. */
export function convertNumber(e: CExpr, from: NumKind | "bool", to: NumKind): CExpr {
  if (from === to) return e;
  const type = numTypes[to];
  if (isBig(to)) {
    if (from !== "bool" && isFloat(from)) return call(`tmc_${from}_to_${to}`, e);
    // gcc warns falsely (-Wsign-conversion) of a plain cast to another size and sign.
    return to === "u64" && from !== "bool" && from.startsWith("i")
      ? cast(type, cast("int64_t", e))
      : cast(type, e);
  }
  if (from === "bool" || !isFloat(from)) {
    const literal = e.k === "lit" && /^-?\d+$/.test(e.text) && !isFloat(to) && to !== "u32";
    if (literal && from !== "bool") {
      const [lo, hi] = intRange[to as "i32"];
      if (Number(e.text) >= lo && Number(e.text) <= hi) return e;
    }
    if (to === "u32" && (from === "i8" || from === "i16")) return call("tmc_i32_to_u32", e);
    return cast(type, e);
  }
  if (isFloat(to)) return cast(type, e);
  if (to === "u32") return call(from === "f32" ? "tmc_f32_to_u32" : "tmc_f64_to_u32", e);
  if (to === "i32" && from === "f32") return call("tmc_f32_to_i32", e);
  const [lo, hi] = intRange[to as "i32"];
  const whole = call(from === "f32" ? "tmc_f32_to_int" : "tmc_f64_to_int", e, bound(lo), bound(hi));
  return to === "i32" ? whole : cast(type, whole);
}

/** `fit` in checked builds: traps when an integer does not fit. */
export function fitNumber(e: CExpr, from: NumKind, to: NumKind, site: CExpr): CExpr {
  const [lo, hi] = intRange[to as "i32"];
  if (from === to) return e;
  const hiText = to === "u32" ? lit("INT32_MAX") : bound(hi);
  if (from === "u32") return cast(numTypes[to], call("tmc_fit_u32", e, lit(`${hi}U`), site));
  return cast(numTypes[to], call("tmc_fit_i32", e, to === "u32" ? lit("0") : bound(lo), hiText, site));
}
