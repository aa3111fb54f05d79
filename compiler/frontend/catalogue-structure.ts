/** TMC1130 to TMC1160: statements, classes, modules and control flow, used in a way that the subset does not have. Examples are compiled by a test. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const structureMessages: readonly CatalogueEntry[] = [
  {
    code: "TMC1130",
    title: "`var`",
    rule: "`var` is visible before and outside its block.",
    wrong: `var x = 1;
log(x);`,
    right: `let x = 1;
x++;
log(x);`,
  },
  {
    code: "TMC1131",
    title: "a value or type is missing",
    rule: "`name!` promises a value that nothing checks, and `null` alone has no type.",
    wrong: `let x = null;
log(x === null);`,
    right: `let x: string | null = null;
log(x === null);`,
  },
  {
    code: "TMC1132",
    title: "the variable of a loop is declared in the loop",
    rule: "`for (const x of …)` or `for (let x of …)`.",
    wrong: `let x = 0;
for (x of [1, 2]) log(x);`,
    right: "for (const x of [1, 2]) log(x);",
  },
  {
    code: "TMC1133",
    title: "cannot be iterated",
    rule: "Arrays, and classes that have `length` and `get(i)` and declare `[Symbol.iterator]`.",
    wrong: 'for (const c of "abc") log(c);',
    right: `const s = "abc";
for (let i = 0; i < s.length; i++) log(s.charCodeAt(i));`,
  },
  {
    code: "TMC1134",
    title: "a `switch` on something else than integers and strings",
    rule: "Floats are not compared exactly.",
    wrong: `const x: f32 = 0.5;
switch (x) {
  case 1:
    log(1);
}`,
    right: `const x: f32 = 0.5;
if (x === 1) log(1);`,
  },
  {
    code: "TMC1135",
    title: "a case falls through",
    rule: "A forgotten `break` is the usual reason. Empty cases may share a body.",
    wrong: `let x = 1;
x++;
switch (x) {
  case 1:
    log(1);
  case 2:
    log(2);
}`,
    right: `let x = 1;
x++;
switch (x) {
  case 1:
  case 2:
    log(2);
}`,
  },
  {
    code: "TMC1136",
    title: "a `switch` that does not cover all values",
    rule: "Over an enum or a union of literals it has every case, or a `default`.",
    wrong: `type Mode = "on" | "off";
function f(m: Mode): void {
  switch (m) {
    case "on":
      log(1);
  }
}
export function main(): void {
  f("on");
}`,
    right: `type Mode = "on" | "off";
function f(m: Mode): void {
  switch (m) {
    case "on":
      log(1);
      break;
    case "off":
      log(0);
  }
}
export function main(): void {
  f("on");
}`,
  },
  {
    code: "TMC1137",
    title: "a case must be a constant",
    rule: "Cases become a C `switch`.",
    wrong: `let x = 1;
x++;
let limit = 2;
limit++;
switch (x) {
  case limit:
    log("limit");
}`,
    right: `let x = 1;
x++;
let limit = 2;
limit++;
if (x === limit) log("limit");`,
  },
  {
    code: "TMC1138",
    title: "overloads",
    rule: "One function, one signature.",
    wrong: `function f(x: i32): i32;
function f(x: i32, y: i32): i32;
function f(x: i32, y: i32 = 0): i32 {
  return x + y;
}
export function main(): void {
  log(f(1));
}`,
    right: `function f(x: i32, y: i32 = 0): i32 {
  return x + y;
}
export function main(): void {
  log(f(1));
}`,
  },
  {
    code: "TMC1139",
    title: "functions bound to C",
    rule: "A `declare function` names its C function, `/** @binding c_name */`, and its return type; only functions can be bound.",
    wrong: `declare function readPin(): i32;
export function main(): void {
  log(readPin());
}`,
    right: `/** @binding board_read_pin */
declare function readPin(): i32;
export function main(): void {
  log(readPin());
}`,
  },
  {
    code: "TMC1140",
    title: "a return type that depends on itself",
    rule: "The type cannot be inferred in a circle: annotate it.",
    wrong: `function last(n: i32) {
  return n === 0 ? 0 : last(n - 1);
}
export function main(): void {
  last(1);
}`,
    right: `function last(n: i32): i32 {
  return n % 2;
}
export function main(): void {
  log(last(1));
}`,
  },
  {
    code: "TMC1141",
    title: "what can be extended or implemented",
    rule: "A class extends a class and implements interfaces; an interface extends interfaces.",
    wrong: `class A {
  x = 1;
}
class B implements A {
  x = 2;
}
export function main(): void {
  log(new B().x);
}`,
    right: `class A {
  x = 1;
}
class B extends A {}
export function main(): void {
  log(new B().x);
}`,
  },
  {
    code: "TMC1142",
    title: "what an interface may have",
    rule: "Fields and methods.",
    wrong: `interface Table {
  [index: number]: i32;
}
export function main(): void {}`,
    right: `type Table = i32[];
const table: Table = [1, 2];
export function main(): void {
  log(table[0]);
}`,
  },
  {
    code: "TMC1143",
    title: "what a class may have",
    rule: "Fields, a constructor, methods, getters. No setters, no static blocks, no static getters.",
    wrong: `class A {
  private v = 0;
  set x(value: i32) {
    this.v = value;
  }
}
export function main(): void {
  new A().x = 1;
}`,
    right: `class A {
  private v = 0;
  setX(value: i32): void {
    this.v = value;
  }
}
export function main(): void {
  new A().setX(1);
}`,
  },
  {
    code: "TMC1144",
    title: "default exports and imports",
    rule: "Names are the same everywhere: export and import by name.",
    wrong: `export default function f(): void {}
export function main(): void {
  f();
}`,
    right: `export function f(): void {}
export function main(): void {
  f();
}`,
  },
  {
    code: "TMC1145",
    title: "namespace imports and exports",
    rule: "`import * as m` gives names, `m.x`, and no value that could be kept or passed. Names are exported one by one.",
    wrong: `import * as std from "tmc";
const all = std;
const out = new std.TextBuffer(8);
export function main(): void {
  log(out.length);
}`,
    right: `import { TextBuffer } from "tmc";
const out = new TextBuffer(8);
export function main(): void {
  log(out.length);
}`,
  },
  {
    code: "TMC1146",
    title: "not a module of the program",
    rule: 'Imports are `.ts` files of the program, and "tmc". C functions come in with `declare function`.',
    wrong: `import { Pin } from "./pins.js";
export function main(): void {
  const led: Pin = { port: 1 };
  log(led.port);
}`,
    right: `interface Pin {
  port: i32;
}
export function main(): void {
  const led: Pin = { port: 1 };
  log(led.port);
}`,
    files: { "pins.d.ts": "export interface Pin {\n  port: i32;\n}\n" },
  },
  {
    code: "TMC1147",
    title: "declared twice",
    rule: "Declarations are not merged.",
    wrong: `interface P {
  x: i32;
}
interface P {
  y: i32;
}
export function main(): void {}`,
    right: `interface P {
  x: i32;
  y: i32;
}
const p: P = { x: 1, y: 2 };
export function main(): void {
  log(p.x + p.y);
}`,
  },
  {
    code: "TMC1148",
    title: "used before it is declared",
    rule: "It would have no value yet.",
    wrong: `log(x);
const x = 1;`,
    right: `const x = 1;
log(x);`,
  },
  {
    code: "TMC1149",
    title: "a case stands twice",
    rule: "The second would never run.",
    wrong: `let x = 1;
x++;
switch (x) {
  case 1:
    break;
  case 1:
    break;
  default:
}`,
    right: `let x = 1;
x++;
switch (x) {
  case 1:
    break;
  case 2:
    break;
  default:
}`,
  },
  {
    code: "TMC1150",
    title: "members of enums",
    rule: "Constants, all numbers of `i32` or all texts.",
    wrong: `enum Mode {
  Off = 0,
  On = "on",
}
export function main(): void {
  log(Mode.Off);
}`,
    right: `enum Mode {
  Off = 0,
  On = 1,
}
export function main(): void {
  log(Mode.Off);
}`,
  },
  {
    code: "TMC1160",
    title: "a jump out of `finally`",
    rule: "`return`, `break` and `continue` that leave a `finally` would silently drop the error, or the value, that is under way. Jumps inside of it, and `throw`, are fine.",
    wrong: `let busy = false;
function f(): i32 {
  try {
    busy = true;
    throw new Error("lost");
  } finally {
    busy = false;
    return 1;
  }
}
export function main(): void {
  log(f(), busy);
}`,
    right: `let busy = false;
function f(): i32 {
  try {
    busy = true;
    throw new Error("caught");
  } catch {
    return 1;
  } finally {
    busy = false;
  }
}
export function main(): void {
  log(f(), busy);
}`,
  },
];
