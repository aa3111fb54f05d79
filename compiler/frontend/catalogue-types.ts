/** TMC12xx: numbers, conversions, null, references. Examples are compiled by a test. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const typeMessages: readonly CatalogueEntry[] = [
  {
    code: "TMC1201",
    title: "a value that does not fit its place",
    rule: "Only conversions that lose nothing happen by themselves (`u8` to `i32`, `i16` to `f32`, `f32` to `f64`). `i64` and `u64` are bigints and never mix with the others: `i64(x)`, `i32(x)`.",
    wrong: `const f: f32 = 0.5;
const i: i32 = f;
log(i);`,
    right: `const f: f32 = 0.5;
const i: i32 = i32(f);
log(i);`,
  },
  {
    code: "TMC1202",
    title: "a condition that is not a boolean",
    rule: "There is no truthiness: write what is meant.",
    wrong: `let n = 1;
n++;
if (n) log(n);`,
    right: `let n = 1;
n++;
if (n !== 0) log(n);`,
  },
  {
    code: "TMC1203",
    title: "a constant out of range",
    rule: "A constant takes the type of its place, and must be a value of it.",
    wrong: `const x: u8 = 300;
log(x);`,
    right: `const x: u16 = 300;
log(x);`,
  },
  {
    code: "TMC1204",
    title: "this may be null",
    rule: "`T | null` is tested before it is used.",
    wrong: `class A {
  x = 1;
}
let a: A | null = null;
export function main(): void {
  log(a.x);
}`,
    right: `class A {
  x = 1;
}
let a: A | null = null;
export function main(): void {
  if (a !== null) log(a.x);
}`,
  },
  {
    code: "TMC1205",
    title: "references are nominal",
    rule: "An object is what its class says, or the interface that the literal was declared as. TypeScript alone would accept anything of the same shape.",
    wrong: `interface A {
  x: i32;
}
class B {
  x: i32 = 1;
}
export function main(): void {
  const a: A = new B();
  log(a.x);
}`,
    right: `interface A {
  x: i32;
}
class B implements A {
  x: i32 = 1;
}
export function main(): void {
  const a: A = new B();
  log(a.x);
}`,
  },
  {
    code: "TMC1206",
    title: "`as` does not convert",
    rule: "`as` renames a type. Numbers are converted by a call.",
    wrong: `const f: f32 = 1.5;
log(f as i32);`,
    right: `const f: f32 = 1.5;
log(i32(f));`,
  },
  {
    code: "TMC1207",
    title: "the tested object may be another by now",
    rule: "A test narrows a variable only while nothing can change it: keep the object in a constant first.",
    wrong: `class A {}
class B extends A {
  x = 1;
}
export function main(): void {
  let a: A = new B();
  const change = (): void => {
    a = new A();
  };
  if (a instanceof B) {
    change();
    log(a.x);
  }
}`,
    right: `class A {}
class B extends A {
  x = 1;
}
const first: A = new B();
export function main(): void {
  let a: A = first;
  const seen = a;
  if (seen instanceof B) log(seen.x);
}`,
  },
  {
    code: "TMC1210",
    title: "no common type without loss",
    rule: "The operands of an operator have one type; the lossless conversions happen by themselves.",
    wrong: `const a: i32 = 1;
const b: u32 = 2;
log(a + b);`,
    right: `const a: i32 = 1;
const b: u32 = 2;
log(a + i32(b));`,
  },
  {
    code: "TMC1211",
    title: "`/` on integers",
    rule: "JavaScript would give a fraction, C an integer.",
    wrong: `let n = 7;
n++;
log(n / 2);`,
    right: `let n = 7;
n++;
log(Math.trunc(n / 2));`,
  },
  {
    code: "TMC1212",
    title: "arithmetic needs numbers",
    rule: "Text is written into a TextBuffer; on a type parameter there is no arithmetic yet.",
    wrong: `let on = true;
on = !on;
log(on * 2);`,
    right: `let on = true;
on = !on;
log(i32(on) * 2);`,
  },
  {
    code: "TMC1213",
    title: "division by zero in a constant",
    rule: "It would trap whenever it runs.",
    wrong: "log(1 % 0);",
    right: "log(1 % 1);",
  },
  {
    code: "TMC1214",
    title: "bits of something else than integers",
    rule: "Shifts, `& | ^ ~` and `sat` work on integers.",
    wrong: `const f: f32 = 1;
log(f & 1);`,
    right: `const f: f32 = 1;
log(i32(f) & 1);`,
  },
  {
    code: "TMC1215",
    title: "`>>` on u32, `>>>` on a bigint",
    rule: "On a u32, JavaScript's `>>` would make large values negative. `>>>` is not defined on bigints, where `>>` of a u64 brings in zeros.",
    wrong: `const x: u32 = 4000000000;
log(x >> 1);`,
    right: `const x: u32 = 4000000000;
log(x >>> 1);`,
  },
  {
    code: "TMC1216",
    title: "`==`",
    rule: "It converts its operands.",
    wrong: `let x = 1;
x++;
log(x == 2);`,
    right: `let x = 1;
x++;
log(x === 2);`,
  },
  {
    code: "TMC1217",
    title: "this is never null",
    rule: "The test would always have the same result.",
    wrong: `class A {
  x = 1;
}
export function main(): void {
  const a = new A();
  if (a !== null) log(a.x);
}`,
    right: `class A {
  x = 1;
}
export function main(): void {
  const a = new A();
  log(a.x);
}`,
  },
  {
    code: "TMC1218",
    title: "cannot be compared",
    rule: "Both sides have one type; order exists for numbers and strings.",
    wrong: `const a = [1, 2];
const b = [1, 3];
log(a < b);`,
    right: `const a = [1, 2];
const b = [1, 3];
log(a[1] < b[1]);`,
  },
  {
    code: "TMC1219",
    title: "`instanceof`",
    rule: "An object on the left, a class without type parameters on the right.",
    wrong: `class Box<T> {
  constructor(readonly value: T) {}
}
export function main(): void {
  const b: Box<i32> | null = new Box(1);
  log(b instanceof Box);
}`,
    right: `class Shape {}
class Circle extends Shape {
  radius = 1;
}
export function main(): void {
  const s: Shape = new Circle();
  log(s instanceof Circle);
}`,
  },
  {
    code: "TMC1220",
    title: "a u32 has no negative",
    rule: "`-x` of an unsigned number is out of its range.",
    wrong: `const x: u32 = 1;
log(-x);`,
    right: `const x: u32 = 1;
log((-x) >>> 0);`,
  },
  {
    code: "TMC1221",
    title: "two sides without a common type",
    rule: "Both values of `c ? a : b` have one type.",
    wrong: `let on = true;
on = !on;
log(on ? 1 : "none");`,
    right: `let on = true;
on = !on;
log(on ? "1" : "none");`,
  },
  {
    code: "TMC1222",
    title: "the square root of an integer",
    rule: "It is not an integer: convert first.",
    wrong: `const n: i32 = 2;
log(Math.sqrt(n));`,
    right: `const n: i32 = 2;
log(Math.sqrt(f32(n)));`,
  },
  {
    code: "TMC1223",
    title: "`Math` on a bigint",
    rule: "`Math` takes numbers, in JavaScript too. Of two bigints `/` is the integer division already.",
    wrong: `const x: i64 = -5n;
log(Math.abs(x));`,
    right: `const x: i64 = -5n;
log(x < 0n ? -x : x);`,
  },
  {
    code: "TMC1230",
    title: "a RomArray is read-only",
    rule: "It may be in flash.",
    wrong: `const table: RomArray<i32> = [1, 2];
export function main(): void {
  table[0] = 5;
}`,
    right: `const table: i32[] = [1, 2];
export function main(): void {
  table[0] = 5;
}`,
  },
  {
    code: "TMC1231",
    title: "this cannot be assigned to",
    rule: "Assign to a variable, a field, an element.",
    wrong: `const name = "abc";
name.length = 2;`,
    right: `const name = "abc";
log(name.slice(0, 2));`,
  },
  {
    code: "TMC1240",
    title: "an object literal needs a declared type",
    rule: "Without one its type is what its fields are, and the type of each must be known: `null` alone, an empty array and a method are not enough.",
    wrong: `const p = { x: 1, next: null };
export function main(): void {
  log(p.x);
}`,
    right: `interface P {
  x: i32;
  next: P | null;
}
const p: P = { x: 1, next: null };
export function main(): void {
  log(p.x);
}`,
  },
  {
    code: "TMC1241",
    title: "an object literal has only fields",
    rule: "Methods belong to classes; a field may hold a function.",
    wrong: `interface Counter {
  next(): i32;
}
const c: Counter = {
  next() {
    return 1;
  },
};
export function main(): void {
  log(c.next());
}`,
    right: `class Counter {
  next(): i32 {
    return 1;
  }
}
const c = new Counter();
export function main(): void {
  log(c.next());
}`,
  },
  {
    code: "TMC1242",
    title: "a member's name must be plain",
    rule: "Letters and digits; `private` instead of `#`.",
    wrong: `class A {
  #x = 1;
  get(): i32 {
    return this.#x;
  }
}
export function main(): void {
  log(new A().get());
}`,
    right: `class A {
  private x = 1;
  get(): i32 {
    return this.x;
  }
}
export function main(): void {
  log(new A().get());
}`,
  },
  {
    code: "TMC1243",
    title: "a field is missing",
    rule: "An object literal has every field that is not optional.",
    wrong: `interface Point {
  x: i32;
  y: i32;
}
export function main(): void {
  const p: Point = { x: 1 };
  log(p.x);
}`,
    right: `interface Point {
  x: i32;
  y?: i32;
}
export function main(): void {
  const p: Point = { x: 1 };
  log(p.x);
}`,
  },
  {
    code: "TMC1244",
    title: "a field that differs from its declaration",
    rule: "What a class implements or extends has fields of the same kind and type.",
    wrong: `interface Named {
  readonly id: i32;
}
class Node implements Named {
  get id(): i32 {
    return 1;
  }
}
export function main(): void {
  log(new Node().id);
}`,
    right: `interface Named {
  readonly id: i32;
}
class Node implements Named {
  readonly id: i32 = 1;
}
export function main(): void {
  log(new Node().id);
}`,
  },
  {
    code: "TMC1245",
    title: "a method that differs from its declaration",
    rule: "What a class implements or extends has methods with the same parameters, default values and result.",
    wrong: `interface Source {
  read(channel: i32): f32;
}
class Noise implements Source {
  read(): f32 {
    return 0.5;
  }
}
const s: Source = new Noise();
export function main(): void {
  log(s.read(0));
}`,
    right: `interface Source {
  read(channel: i32): f32;
}
class Noise implements Source {
  read(channel: i32): f32 {
    return 0.5;
  }
}
const s: Source = new Noise();
export function main(): void {
  log(s.read(0));
}`,
  },
  {
    code: "TMC1246",
    title: "an object that is used before it is made",
    rule: "In a constructor `super(…)` comes first, and nothing reads a field before it has its value.",
    wrong: `class A {
  readonly size: i32;
  constructor() {
    this.show();
    this.size = 4;
  }
  show(): void {
    log(this.size);
  }
}
export function main(): void {
  new A().show();
}`,
    right: `class A {
  readonly size: i32;
  constructor() {
    this.size = 4;
    this.show();
  }
  show(): void {
    log(this.size);
  }
}
export function main(): void {
  new A().show();
}`,
  },
];
