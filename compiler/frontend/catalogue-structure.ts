/** TMC11xx: declarations, values and statements that the subset has, used in a way that it does not have. Examples are compiled by a test. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const structureMessages: readonly CatalogueEntry[] = [
  {
    code: "TMC1101",
    title: "`any`",
    rule: "A value without a type has no representation in memory.",
    wrong: `const x: any = 1;
log(x);`,
    right: `const x: i32 = 1;
log(x);`,
  },
  {
    code: "TMC1102",
    title: "`bigint` without a size",
    rule: "An integer on a device has a size: `i64` or `u64`. A `const` of a literal, and a variable made from one (i64), need no annotation.",
    wrong: `const x: bigint = 1n;
log(x);`,
    right: `const x: u64 = 1n;
log(x);`,
  },
  {
    code: "TMC1103",
    title: "a type without representation",
    rule: "Values are numbers, booleans, strings, classes, interfaces, object types, functions, arrays, tuples, enums, unions of string literals or of object types, and one of these `| null`.",
    wrong: `function show(value: i32 | string): void {
  log("value");
}
export function main(): void {
  show(1);
}`,
    right: `function show(value: i32): void {
  log(value);
}
function showText(value: string): void {
  log(value);
}
export function main(): void {
  show(1);
  showText("one");
}`,
  },
  {
    code: "TMC1104",
    title: "text that is not ASCII",
    rule: "Strings are bytes, and a literal would have other bytes on Node.js than its length says. `utf8` names the encoding.",
    wrong: 'log("µ");',
    right: 'log(utf8("µ"));',
  },
  {
    code: "TMC1105",
    title: "`this` or `super` outside of a class",
    rule: "There is no object that it could mean.",
    wrong: `class A {
  x = 1;
}
function f(): i32 {
  return this.x;
}
export function main(): void {
  log(f());
}`,
    right: `class A {
  x = 1;
}
function f(a: A): i32 {
  return a.x;
}
export function main(): void {
  log(f(new A()));
}`,
  },
  {
    code: "TMC1106",
    title: "a name that is not a value",
    rule: "The functions of the library can only be called; types have no value at run time.",
    wrong: `const convert: (x: i32) => u8 = u8;
log(convert(300));`,
    right: `const convert = (x: i32): u8 => u8(x);
log(convert(300));`,
  },
  {
    code: "TMC1107",
    title: "a function that is not a value",
    rule: "A generic function or one bound to C has no value of its own: wrap the call in an arrow function.",
    wrong: `function same<T>(x: T): T {
  return x;
}
export function main(): void {
  const f: (x: i32) => i32 = same;
  log(f(1));
}`,
    right: `function same<T>(x: T): T {
  return x;
}
export function main(): void {
  const f = (x: i32): i32 => same(x);
  log(f(1));
}`,
  },
  {
    code: "TMC1108",
    title: "a class is not a value",
    rule: "A class can be instantiated, extended and asked for by `instanceof`.",
    wrong: `class A {}
export function main(): void {
  const c = A;
}`,
    right: `class A {}
export function main(): void {
  const a: A | null = new A();
  log(a !== null);
}`,
  },
  {
    code: "TMC1109",
    title: "`as const` objects are constants only",
    rule: "An `as const` object holds numbers and texts and has no storage: only its properties are used.",
    wrong: `const Pin = { led: 5 } as const;
export function main(): void {
  const p = Pin;
}`,
    right: `const Pin = { led: 5 } as const;
export function main(): void {
  log(Pin.led);
}`,
  },
  {
    code: "TMC1110",
    title: "a method is not a value",
    rule: "A method without its object has lost `this`. An arrow function keeps it.",
    wrong: `class A {
  f(): i32 {
    return 1;
  }
}
const a = new A();
export function main(): void {
  const g = a.f;
  log(g());
}`,
    right: `class A {
  f(): i32 {
    return 1;
  }
}
const a = new A();
export function main(): void {
  const g = () => a.f();
  log(g());
}`,
  },
  {
    code: "TMC1111",
    title: "no such member",
    rule: "The class, interface or superclass has no member of that name.",
    wrong: `interface P {
  x: i32;
}
const p: P = { x: 1 };
export function main(): void {
  const { toString } = p;
}`,
    right: `interface P {
  x: i32;
}
const p: P = { x: 1 };
export function main(): void {
  const { x } = p;
  log(x);
}`,
  },
  {
    code: "TMC1112",
    title: "cannot be indexed",
    rule: "Arrays and typed arrays are indexed. A string has bytes, not characters.",
    wrong: `const s = "abc";
log(s[0]);`,
    right: `const s = "abc";
log(s.charCodeAt(0), s.slice(0, 1));`,
  },
  {
    code: "TMC1113",
    title: "an index that is not an integer",
    rule: "A fraction is no place in an array.",
    wrong: `const xs = [1, 2];
const i: f32 = 1;
log(xs[i]);`,
    right: `const xs = [1, 2];
const i: f32 = 1;
log(xs[i32(i)]);`,
  },
  {
    code: "TMC1114",
    title: "cannot be printed",
    rule: "`log` and templates print numbers, booleans and strings.",
    wrong: `const xs = [1, 2];
log(\`\${xs}\`);`,
    right: `const xs = [1, 2];
log(xs[0], xs[1]);`,
  },
  {
    code: "TMC1115",
    title: "cannot be called",
    rule: "The value is not a function.",
    wrong: `const n = 1;
n();`,
    right: `const n = () => 1;
log(n());`,
  },
  {
    code: "TMC1116",
    title: "wrong number of arguments",
    rule: "Every parameter without a default value gets an argument, and no more than there are.",
    wrong: `function area(width: i32, height: i32): i32 {
  return width * height;
}
export function main(): void {
  log(area(3));
}`,
    right: `function area(width: i32, height: i32): i32 {
  return width * height;
}
export function main(): void {
  log(area(3, 4));
}`,
  },
  {
    code: "TMC1117",
    title: "a template where none can be built",
    rule: "Text is not built in memory by a handler: a template is written by a statement of its own, into a TextBuffer.",
    wrong: `import { TextBuffer } from "tmc";
const out = new TextBuffer(16);
export function main(): void {
  let n = 1;
  n++;
  n > 1 ? out.write(\`n=\${n}\`) : out.clear();
}`,
    right: `import { TextBuffer } from "tmc";
const out = new TextBuffer(16);
export function main(): void {
  let n = 1;
  n++;
  if (n > 1) out.write(\`n=\${n}\`);
  log(out.toString());
}`,
  },
  {
    code: "TMC1118",
    title: "`new` needs a class",
    rule: "Interfaces are made by object literals; typed arrays, containers and your classes by `new`.",
    wrong: `function Point(): i32 {
  return 1;
}
export function main(): void {
  log(new Point());
}`,
    right: `class Point {
  x = 1;
}
export function main(): void {
  log(new Point().x);
}`,
  },
  {
    code: "TMC1119",
    title: "a type argument that cannot be inferred",
    rule: "Generic code is compiled for each type it is used with, so the type must be known.",
    wrong: `function zero<T>(): i32 {
  return 0;
}
export function main(): void {
  log(zero());
}`,
    right: `function zero<T>(): i32 {
  return 0;
}
export function main(): void {
  log(zero<u8>());
}`,
  },
  {
    code: "TMC1120",
    title: "a library function that cannot be called like this",
    rule: "core.d.ts names the arguments. `utf8` takes a literal: its bytes are made when you build.",
    wrong: `const unit = "m";
const text = utf8(unit);
log(text);`,
    right: `const text = utf8("µm");
log(text.length);`,
  },
  {
    code: "TMC1121",
    title: "a negative length",
    rule: "An array has zero elements or more.",
    wrong: `const xs = new Uint8Array(-1);
log(xs.length);`,
    right: `const xs = new Uint8Array(1);
log(xs.length);`,
  },
  {
    code: "TMC1122",
    title: "only errors are thrown",
    rule: '`throw new Error("…")` with a literal text, or a caught error again: a trap carries a number and a literal, nothing that would have to be allocated.',
    wrong: `const text = "no";
throw new Error(text);`,
    right: 'throw new Error("no");',
  },
  {
    code: "TMC1123",
    title: "an array literal is not a typed array",
    rule: "The storage differs: convert by the constructor.",
    wrong: `const xs: Uint8Array = [1, 2];
log(xs.length);`,
    right: `const xs = new Uint8Array([1, 2]);
log(xs.length);`,
  },
  {
    code: "TMC1124",
    title: "elements without a common type",
    rule: "All elements of an array have one type, and there are no holes.",
    wrong: `const xs = [1, "a"];
log(xs.length);`,
    right: `const xs = [1, 2];
log(xs.length);`,
  },
  {
    code: "TMC1125",
    title: "a function value cannot be generic",
    rule: "Generic functions are compiled for each type: only a declared one can be.",
    wrong: `const f = <T>(x: T): T => x;
log(f(1));`,
    right: `function f<T>(x: T): T {
  return x;
}
export function main(): void {
  log(f(1));
}`,
  },
  {
    code: "TMC1126",
    title: "a default value must be a constant",
    rule: "It is filled in where the function is called.",
    wrong: `function one(): i32 {
  return 1;
}
function f(x: i32 = one()): i32 {
  return x;
}
export function main(): void {
  log(f());
}`,
    right: `function f(x: i32 = 1): i32 {
  return x;
}
export function main(): void {
  log(f());
}`,
  },
  {
    code: "TMC1127",
    title: "a type is missing",
    rule: "A parameter or field without a value to infer from needs an annotation.",
    wrong: `class A {
  value;
  constructor() {
    this.value = 1;
  }
}
export function main(): void {
  log(new A().value);
}`,
    right: `class A {
  value: i32;
  constructor() {
    this.value = 1;
  }
}
export function main(): void {
  log(new A().value);
}`,
  },
  {
    code: "TMC1128",
    title: "some paths return a value, others do not",
    rule: "JavaScript would give undefined, C anything.",
    wrong: `function f(x: i32): i32 | undefined {
  if (x > 0) return x;
}
export function main(): void {
  log(f(1) === undefined);
}`,
    right: `function f(x: i32): i32 | null {
  if (x > 0) return x;
  return null;
}
export function main(): void {
  log(f(1) === null);
}`,
  },
  {
    code: "TMC1129",
    title: "a declaration in the wrong place",
    rule: "Classes, interfaces and named functions are declared at the top level of a module.",
    wrong: `function inner(): i32 {
  return 1;
}
log(inner());`,
    right: `const inner = (): i32 => 1;
log(inner());`,
  },
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
