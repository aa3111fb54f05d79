/** TMC10xx: expressions, statements and names of JavaScript that the subset does not have. Examples are compiled by a test. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const syntaxMessages: readonly CatalogueEntry[] = [
  {
    code: "TMC1000",
    title: "TypeScript's own error",
    rule: "TypeScript checks the program first, against core.d.ts. The number behind TS is its own.",
    wrong: "log(unknownName);",
    right: `const known = 1;
log(known);`,
  },
  {
    code: "TMC1001",
    title: "an expression that is not part of the subset",
    rule: "Some expressions of JavaScript have no counterpart that is cheap and equal on a device. The message names what to write instead.",
    wrong: `let x = 3;
x++;
log(x ** 2);`,
    right: `let x = 3;
x++;
log(x * x);`,
  },
  {
    code: "TMC1002",
    title: "a statement that is not part of the subset",
    rule: "The message names what to write instead.",
    wrong: "debugger;",
    right: 'log("here");',
  },
  {
    code: "TMC1003",
    title: "not supported yet",
    rule: "The language is meant to have this, and this version does not. The message names what to write until then.",
    wrong: `interface P {
  x: i32 | null;
}
const p: P = { x: null };
let x: i32 | null = 0;
export function main(): void {
  ({ x = 1 } = p);
}`,
    right: `interface P {
  x: i32 | null;
}
const p: P = { x: null };
let x: i32 | null = 0;
export function main(): void {
  x = p.x ?? 1;
}`,
  },
  {
    code: "TMC1004",
    title: "generators",
    rule: "A generator is a function that stops in the middle, with its frame on a heap.",
    wrong: `function* count() {
  yield 1;
}
export function main(): void {
  for (const x of count()) log(x);
}`,
    right: `export function main(): void {
  for (let x = 1; x <= 1; x++) log(x);
}`,
  },
  {
    code: "TMC1005",
    title: "rest parameters",
    rule: "A plain function may have a rest parameter: each call makes an array of its arguments. A method, a function value or a generic function takes an array.",
    wrong: `class Sum {
  of(...values: i32[]): i32 {
    return values.length;
  }
}
export function main(): void {
  log(new Sum().of(1, 2));
}`,
    right: `function sum(values: i32[]): i32 {
  return values.length;
}
export function main(): void {
  log(sum([1, 2]));
}`,
  },
  {
    code: "TMC1006",
    title: "nested too deeply",
    rule: "The compiler walks the source recursively and gives up before its own stack does.",
    wrong: `let x = 1;
x++;
log(x + (x + (x + (…))));`,
    right: `let x = 1;
x++;
let sum = 0;
for (let i = 0; i < 5000; i++) sum += x;
log(sum);`,
  },
  {
    code: "TMC1007",
    title: "decorators",
    rule: "A decorator runs at a time that the two phases do not have.",
    wrong: `function mark(): void {}
@mark
class A {
  x: i32 = 1;
}
export function main(): void {
  log(new A().x);
}`,
    right: `class A {
  x: i32 = 1;
}
export function main(): void {
  log(new A().x);
}`,
  },
  {
    code: "TMC1009",
    title: "code from text",
    rule: "`eval` and `Function` would need a compiler on the device.",
    wrong: 'eval("1");',
    right: "log(1);",
  },
  {
    code: "TMC1010",
    title: "`delete`",
    rule: "The fields of an object are fixed: `delete` would change its layout.",
    wrong: `class P {
  x: i32 | null = 1;
}
export function main(): void {
  const p = new P();
  delete p.x;
}`,
    right: `class P {
  x: i32 | null = 1;
}
export function main(): void {
  const p = new P();
  p.x = null;
}`,
  },
  {
    code: "TMC1011",
    title: "`with`",
    rule: "`with` hides which variable a name means.",
    wrong: `const data = [1, 2];
with (data) log(length);`,
    right: `const data = [1, 2];
log(data.length);`,
  },
  {
    code: "TMC1012",
    title: "regular expressions",
    rule: "A regular expression needs an engine and unbounded time.",
    wrong: `const text = "abc";
log(/b/.test(text));`,
    right: `const text = "abc";
log(text.includes("b"));`,
  },
  {
    code: "TMC1013",
    title: "`typeof`",
    rule: "Types are known when compiling; the device does not keep them.",
    wrong: `const x = 1;
log(typeof x === "number");`,
    right: `const x = 1;
log(x);`,
  },
  {
    code: "TMC1014",
    title: "fields by name",
    rule: "A device does not keep the names of fields, so `in` and `for … in` have nothing to look at.",
    wrong: `const xs = [1, 2];
for (const i in xs) log(i);`,
    right: `const xs = [1, 2];
for (const x of xs) log(x);`,
  },
  {
    code: "TMC1015",
    title: "prototypes",
    rule: "Objects have the members of their class, always.",
    wrong: `class A {
  x = 1;
}
const a = new A();
export function main(): void {
  Object.freeze(a);
  log(a.x);
}`,
    right: `class A {
  x = 1;
}
export function main(): void {
  log(new A().x);
}`,
  },
  {
    code: "TMC1016",
    title: "`arguments`",
    rule: "`arguments` is an array whose length is known only at run time.",
    wrong: `export function main(): void {
  log(arguments.length);
}`,
    right: `function count(values: i32[]): i32 {
  return values.length;
}
export function main(): void {
  log(count([1]));
}`,
  },
  {
    code: "TMC1017",
    title: "a clock that firmware does not have",
    rule: "`Date` and `performance` are not on a device. The platform's clock counts milliseconds since boot.",
    wrong: "const now = new Date();",
    right: `const now = 0;
log(now);`,
  },
  {
    code: "TMC1018",
    title: "not there on a device",
    rule: "This part of JavaScript's library does not exist here. The message names what does its work.",
    wrong: 'console.log("x");',
    right: 'log("x");',
  },
];
