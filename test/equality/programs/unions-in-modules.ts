// Unions whose members have the names of another module's: each is its own type.
import { describe, other } from "./modules/same-names.js";
interface Left {
  kind: "left";
  x: i32;
}
interface Right {
  kind: "right";
  y: i32;
}
const all: (Left | Right)[] = [
  { kind: "left", x: 1 },
  { kind: "right", y: 2 },
];

export function main(): void {
  for (const one of all) log(one.kind, one.kind === "left" ? one.x : one.y);
  for (const one of other) log(describe(one));
}
