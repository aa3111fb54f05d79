// Unions of string literals: in fields, arrays, parameters, closures, containers, null; to text and back by comparison.
import { List, TextBuffer } from "tmc";
type Axis = "x" | "y" | "z";
type Wide = Axis | "none";
const order: Axis[] = ["z", "x", "y"];
const out = new TextBuffer(32);
const seen = new List<Wide>(4);
let current: Wide = "none";
let maybe: Axis | null = null;
interface Reading {
  readonly axis: Axis;
  readonly value: i32;
}
const readings: Reading[] = [
  { axis: "y", value: -3 },
  { axis: "x", value: 4 },
];

function parse(s: string): Axis | null {
  if (s === "x") return "x";
  if (s === "y") return "y";
  return s === "z" ? "z" : null;
}
function flip(a: Axis, f: (a: Axis) => Axis): Axis {
  return f(f(a));
}
function isNone(w: Wide): boolean {
  return w === "none";
}

export function main(): void {
  log(current, isNone(current), maybe === null);
  current = order[0];
  maybe = parse("yy".slice(1));
  log(current, isNone(current), maybe === null ? "null" : maybe, parse("w") === null);
  for (const r of readings) {
    out.write(`${r.axis}=${r.value};`);
    seen.push(r.axis);
  }
  seen.push("none");
  log(out.toString(), seen.length);
  for (const s of seen) log(s, s.length, s === "y");
  log(flip("x", (a) => (a === "x" ? "z" : a === "z" ? "y" : "x")));
  const index = current === "x" ? 0 : current === "y" ? 1 : 2;
  log(index, order[index], order[0] === order[1], current === order[0]);
  order[1] = order[2];
  log(order[1], order[1] === order[2]);
}
