/** TMC1101 to TMC1129: values, names, calls and declarations, used in a way that the subset does not have. Examples are compiled by a test. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const valueMessages: readonly CatalogueEntry[] = [
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
];
