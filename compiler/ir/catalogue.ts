/** Messages of the rules that need the whole program (TMC16xx lifetimes, 18xx run phase, 19xx recursion), for `tmc explain`. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC1601",
    title: "an object escapes",
    rule: "An object that a handler makes lives on the stack. Stored in a field, a static or a container it would outlive its frame: make it in setup and fill it in, or let the caller pass one.",
    wrong: `interface P {
  x: i32;
}
const first: P = { x: 0 };
class Box {
  p: P = first;
}
const box = new Box();
export function main(): void {
  box.p = { x: 1 };
  log(box.p.x);
}`,
    right: `interface P {
  x: i32;
}
class Box {
  readonly p: P = { x: 0 };
}
const box = new Box();
export function main(): void {
  box.p.x = 1;
  log(box.p.x);
}`,
  },
  {
    code: "TMC1602",
    title: "a closure escapes",
    rule: "A closure that a handler makes may be passed down and called, not stored or returned: its captures live on the stack. (One without captures may.)",
    wrong: `class Button {
  pressed: () => void = () => {};
}
const button = new Button();
export function main(): void {
  let n = 1;
  button.pressed = () => {
    n++;
  };
  button.pressed();
  log(n);
}`,
    right: `class Button {
  count = 1;
  readonly pressed = (): void => {
    this.count++;
  };
}
const button = new Button();
export function main(): void {
  button.pressed();
  log(button.count);
}`,
  },
  {
    code: "TMC1603",
    title: "borrowed bytes or text would be kept",
    rule: "A slice of a message or a buffer is valid until the buffer changes. Copy it into a TextBuffer or an array.",
    wrong: `import { TextBuffer } from "tmc";
const line = new TextBuffer(16);
class State {
  last = "";
}
const state = new State();
export function main(): void {
  line.write(\`t=\${21}\`);
  state.last = line.toString();
  log(state.last);
}`,
    right: `import { TextBuffer } from "tmc";
const line = new TextBuffer(16);
const last = new TextBuffer(16);
export function main(): void {
  line.write(\`t=\${21}\`);
  last.clear();
  last.write(line.toString());
  log(last.toString());
}`,
  },
  {
    code: "TMC1604",
    title: "borrowed text is used after its bytes may have changed",
    rule: "`TextBuffer.toString()`, `textView` and slices of them are views, valid until the buffer is written again. The message shows where the text was borrowed, where its bytes may change, and where it is used after that.",
    wrong: `import { TextBuffer } from "tmc";
const line = new TextBuffer(16);
export function main(): void {
  line.write("first");
  const text = line.toString();
  line.assign("second");
  log(text);
}`,
    right: `import { TextBuffer } from "tmc";
const line = new TextBuffer(16);
const copy = new TextBuffer(16);
export function main(): void {
  line.write("first");
  copy.assign(line.toString());
  line.assign("second");
  log(copy.toString());
}`,
  },
  {
    code: "TMC1605",
    title: "text whose bytes end with the function",
    rule: "Text that is a view of an array of the function itself cannot be returned: the array is gone.",
    wrong: `function letter(n: i32): string {
  const bytes = new Uint8Array(1);
  bytes[0] = u8(65 + n);
  return textView(bytes, 0, 1);
}
export function main(): void {
  log(letter(1));
}`,
    right: `function letter(bytes: Uint8Array, n: i32): string {
  bytes[0] = u8(65 + n);
  return textView(bytes, 0, 1);
}
export function main(): void {
  log(letter(new Uint8Array(1), 1));
}`,
  },
  {
    code: "TMC1606",
    title: "something of the stack would be kept over a wait",
    rule: "A step of an async function ends at each wait, and with it what it made on the stack and what it borrowed. Its numbers, texts of setup and references to objects of setup live on in its frame.",
    wrong: `import { runTasks, sleep, task } from "tmc";
interface Point {
  x: i32;
}
task(async () => {
  const p: Point = { x: 1 };
  await sleep(1);
  log(p.x);
});
export function main(): void {
  runTasks(1);
}`,
    right: `import { runTasks, sleep, task } from "tmc";
interface Point {
  x: i32;
}
const p: Point = { x: 0 };
task(async () => {
  p.x = 1;
  await sleep(1);
  log(p.x);
});
export function main(): void {
  runTasks(1);
}`,
  },
  {
    code: "TMC1607",
    title: "borrowed text in a variable that functions share",
    rule: "A variable that a function captured and that is assigned is shared: whoever runs next may read it, and nobody follows when the bytes of borrowed text in it change. A `const` may be captured: its text is followed into the function.",
    wrong: `import { TextBuffer } from "tmc";
const line = new TextBuffer(16);
function twice(f: () => void): void {
  f();
  f();
}
export function main(): void {
  line.write("first");
  let text = "none";
  twice(() => {
    log(text);
    text = line.toString();
  });
}`,
    right: `import { TextBuffer } from "tmc";
const line = new TextBuffer(16);
function twice(f: () => void): void {
  f();
  f();
}
export function main(): void {
  line.write("first");
  const text = line.toString();
  twice(() => {
    log(text);
  });
  line.assign("second");
}`,
  },
  {
    code: "TMC1801",
    title: "setup only",
    rule: "This exists when the program is built, not on the device. The message shows how a handler reaches it.",
    wrong: `export function main(): void {
  log(f32(Math.sin(0.5)));
}`,
    right: `import { sinF32 } from "tmc";
export function main(): void {
  log(sinF32(0.5));
}`,
  },
  {
    code: "TMC1802",
    title: "text is not built by a handler",
    rule: "There is no memory to keep it in: write it into a TextBuffer.",
    wrong: `function name(i: i32): string {
  return \`n\${i}\`;
}
export function main(): void {
  log(name(1));
}`,
    right: `import { TextBuffer } from "tmc";
const out = new TextBuffer(8);
export function main(): void {
  out.write(\`n\${1}\`);
  log(out.toString());
}`,
  },
  {
    code: "TMC1803",
    title: "an array whose length is not constant",
    rule: "An array that a handler makes is on the stack: its size must be known.",
    wrong: `function f(n: i32): i32 {
  return new Uint8Array(n).length;
}
export function main(): void {
  log(f(3));
}`,
    right: `export function main(): void {
  log(new Uint8Array(3).length);
}`,
  },
  {
    code: "TMC1804",
    title: "a key that cannot be looked up",
    rule: "A handler looks up integers, booleans, strings and members of unions in a Map or Set that setup made. Floats and objects as keys can only be iterated over.",
    wrong: `const steps = new Map<f32, i32>([[0.5, 1]]);
export function main(): void {
  log(steps.get(0.5) ?? 0);
}`,
    right: `const steps = new Map<i32, i32>([[500, 1]]);
export function main(): void {
  log(steps.get(500) ?? 0);
}`,
  },
  {
    code: "TMC1805",
    title: "a spread array of unknown length",
    rule: "An array that a handler makes is on the stack, also one with spread arrays in it: every array that may come there must have the same length, known when compiling. A `subarray`, and what the platform passes in, have none.",
    wrong: `const short: i32[] = [1, 2];
const long: i32[] = [1, 2, 3];
function end(a: i32[]): i32[] {
  return [...a, 0];
}
export function main(): void {
  log(end(short).length, end(long).length);
}`,
    right: `const long: i32[] = [1, 2, 3];
function end(a: i32[]): i32[] {
  return [...a, 0];
}
export function main(): void {
  log(end(long).length);
}`,
  },
  {
    code: "TMC1901",
    title: "recursion",
    rule: "The worst-case stack must be known, so functions may not call each other in a circle. The message shows the circle.",
    wrong: `function f(n: i32): i32 {
  return n === 0 ? 0 : f(n - 1);
}
export function main(): void {
  log(f(3));
}`,
    right: `function f(n: i32): i32 {
  let x = n;
  while (x > 0) x--;
  return x;
}
export function main(): void {
  log(f(3));
}`,
  },
  {
    code: "TMC1903",
    title: "a type argument with another member than the constraint's",
    rule: "A generic body is lowered for the constraint of its type parameter, and runs with the type argument's own fields and methods: their types must be the same, not only convertible.",
    wrong: `class Small {
  id: u8 = 1;
}
function idOf<T extends { id: i32 }>(x: T): i32 {
  return x.id;
}
const small = new Small();
export function main(): void {
  log(idOf(small));
}`,
    right: `class Item {
  id: i32 = 1;
}
function idOf<T extends { id: i32 }>(x: T): i32 {
  return x.id;
}
const item = new Item();
export function main(): void {
  log(idOf(item));
}`,
  },
  {
    code: "TMC1902",
    title: "type arguments that grow without end",
    rule: "Generic code is compiled for each type it is used with, so a generic function may not call itself with a larger type than its own: there would be no last one.",
    wrong: `class Box<T> {
  constructor(readonly value: T) {}
}
function wrap<T>(x: T, n: i32): i32 {
  return n === 0 ? 0 : wrap(new Box(x), n - 1);
}
export function main(): void {
  log(wrap(true, 3));
}`,
    right: `class Box<T> {
  constructor(readonly value: T) {}
}
export function main(): void {
  log(new Box(new Box(true)).value.value);
}`,
  },
];
