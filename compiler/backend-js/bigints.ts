/** i64 and u64 → JavaScript text on `bigint`: results are taken modulo 2^64 where they can leave it. */
import type { ExprOf } from "../ir/nodes.js";
import { isBig, isFloat, type BigKind, type NumKind } from "../ir/types.js";

const rt = "$rt";
const wrapped = (n: BigKind, text: string): string =>
  `BigInt.${n === "i64" ? "asIntN" : "asUintN"}(64, ${text})`;
const exact = (n: BigKind, text: string, where: string): string =>
  `${rt}.${n === "i64" ? "exactI64" : "exactU64"}(${text}, ${where})`;

export function bigUnary(
  op: "neg" | "bitnot" | "not",
  n: BigKind,
  arg: string,
  checked: boolean,
  where: string,
): string {
  if (op === "bitnot") return n === "i64" ? `(~${arg})` : wrapped(n, `~${arg}`);
  return checked ? exact(n, `-${arg}`, where) : wrapped(n, `-${arg}`);
}

const signs = { add: "+", sub: "-", mul: "*", and: "&", or: "|", xor: "^" } as const;

export function bigArith(
  e: ExprOf<"arith">,
  n: BigKind,
  l: string,
  r: string,
  checked: boolean,
  where: string,
): string {
  switch (e.op) {
    case "div":
      return wrapped(n, `${rt}.divBig(${l}, ${r}, ${where})`);
    case "rem":
      return `${rt}.remBig(${l}, ${r}, ${where})`;
    case "and":
    case "or":
    case "xor":
      return `(${l} ${signs[e.op]} ${r})`;
    case "shl":
    case "shr":
    case "ushr": {
      const name = e.op === "shl" ? "shl" : "shr";
      if (e.r.k === "big" && e.r.value >= 0n && e.r.value < 64n)
        return name === "shl" ? wrapped(n, `${l} << ${r}`) : `(${l} >> ${r})`;
      return wrapped(n, `${rt}.${name}(${l}, ${r})`);
    }
    default: {
      const text = `${l} ${signs[e.op]} ${r}`;
      return checked ? exact(n, text, where) : wrapped(n, text);
    }
  }
}

export function bigConversion(arg: string, from: NumKind, to: NumKind): string {
  if (isBig(to)) {
    if (isFloat(from)) return `${rt}.${to === "i64" ? "toI64" : "toU64"}(${arg})`;
    if (isBig(from)) return wrapped(to, arg);
    const whole = `BigInt(${arg})`;
    return to === "u64" && from.startsWith("i") ? wrapped(to, whole) : whole;
  }
  if (to === "f64") return `Number(${arg})`;
  if (to === "f32") return `${rt}.f32OfBig(${arg})`;
  return `Number(BigInt.${to.startsWith("i") ? "asIntN" : "asUintN"}(${to.slice(1)}, ${arg}))`;
}
