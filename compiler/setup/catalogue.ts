/** Messages of the setup phase and the snapshot (TMC20xx), for `tmc explain`. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC2000",
    title: "setup ended with a trap",
    rule: "The top level of the modules runs when the program is built; an uncaught trap there ends the build.",
    wrong: `const xs = new Uint8Array(2);
xs[5] = 1;
export function main(): void {
  log(xs[0]);
}`,
    right: `const xs = new Uint8Array(6);
xs[5] = 1;
export function main(): void {
  log(xs[0]);
}`,
  },
  {
    code: "TMC2001",
    title: "setup computed a value of another type",
    rule: "What JavaScript computed is not a value of the declared type: convert it where it is computed.",
    wrong: `const sum: i32 = [0.5, 0.25].reduce((a, b) => a + b, 0);
export function main(): void {
  log(sum);
}`,
    right: `const sum: f64 = [0.5, 0.25].reduce((a, b) => a + b, 0);
export function main(): void {
  log(sum);
}`,
  },
  {
    code: "TMC2002",
    title: "cannot be represented on the device",
    rule: "A handler reaches an object of a kind that exists in setup only. The message names the path to it from the program's roots.",
    wrong: `const all = new Uint8Array(8);
class Cache {
  readonly tail = all.subarray(4);
  hits = 0;
}
const cache = new Cache();
export function main(): void {
  cache.hits++;
}`,
    right: `class Cache {
  readonly tail = new Uint8Array(4);
  hits = 0;
}
const cache = new Cache();
export function main(): void {
  cache.hits++;
}`,
  },
  {
    code: "TMC2003",
    title: "used before setup gave it a value",
    rule: "The modules run in the order of their imports, from top to bottom.",
    wrong: `const table = make();
const size = 4;
let n = size + 1;
function make(): i32 {
  return n;
}
export function main(): void {
  log(table, n);
}`,
    right: `let n = 5;
const table = make();
function make(): i32 {
  return n;
}
export function main(): void {
  log(table, n);
}`,
  },
  {
    code: "TMC2004",
    title: "an asset cannot be read",
    rule: "Paths of assets are relative to the module that names them.",
    wrong: `const text = assetText("tabel.txt");
const length: i32 = text.length;
export function main(): void {
  log(length);
}`,
    right: `const text = assetText("table.txt");
const length: i32 = text.length;
export function main(): void {
  log(length);
}`,
    files: { "table.txt": "1 2 3\n" },
  },
  {
    code: "TMC2005",
    title: "a model with several inputs or outputs, or with others than int8",
    rule: "A model of a node has one of each, of int8. Models of int16 activations run in `tmc model` and as generated C.",
    wrong: `import { Model } from "tmc";
const model = new Model("two-inputs.tflite");
export function main(): void {
  log(model.inputSize);
}`,
    right: `import { Model } from "tmc";
const model = new Model("vibration.tflite");
export function main(): void {
  log(model.inputSize);
}`,
  },
  {
    code: "TMC2006",
    title: "model.yaml is not valid",
    rule: "The file beside a model describes it: name, version, task, labels, unit, rate. The message names the key.",
    wrong: `name: vibration
output:
  labels: healthy, imbalance, bearing`,
    right: `name: vibration
output:
  labels:
    - healthy
    - imbalance
    - bearing`,
  },
  {
    code: "TMC2007",
    title: "a program exports `main`",
    rule: "`export function main(): void` is what runs.",
    wrong: "export const answer = 42;",
    right: `export function main(): void {
  log(42);
}`,
  },
  {
    code: "TMC2008",
    title: "the app registers no handler",
    rule: "An app makes a node and calls `serve()`, or registers handlers itself.",
    wrong: `const gain: f32 = 2;
export function amplify(x: f32): f32 {
  return x * gain;
}`,
    right: `const gain: f32 = 2;
export function amplify(x: f32): f32 {
  return x * gain;
}
entry("amplify", amplify);`,
  },
  {
    code: "TMC2009",
    title: "setup ended with an error",
    rule: "The top level of the modules runs when the program is built, as JavaScript; an error there ends the build.",
    wrong: `const text: string = "ab".repeat(-1);
export function main(): void {
  log(text);
}`,
    right: `const text: string = "ab".repeat(2);
export function main(): void {
  log(text);
}`,
  },
  {
    code: "TMC2010",
    title: "nothing implements a bound function here",
    rule: "In a unit test a bound C function needs a host function: `bind`, or the simulated platform.",
    wrong: `/** @binding board_read_pin */
declare function readPin(): i32;
const level = readPin();
export function main(): void {
  log(level);
}`,
    right: `/** @binding board_read_pin */
declare function readPin(): i32;
export function main(): void {
  log(readPin());
}`,
  },
  {
    code: "TMC2011",
    title: "setup did not end",
    rule: "It runs when the program is built, and is stopped after a while.",
    wrong: `let n = 1;
while (n !== 0) n += 2;
export function main(): void {
  log(n);
}`,
    right: `let n = 1;
while (n < 100) n += 2;
export function main(): void {
  log(n);
}`,
  },
  {
    code: "TMC2012",
    title: "not a name for an entry",
    rule: "`entry(name, handler)` makes the C function `tmc_<name>`: 1 to 31 characters of a-z, 0-9 and _, each name once, none that the run-time library has.",
    wrong: `export function halve(x: f32): f32 {
  return x / 2;
}
entry("my-filter", halve);
export function main(): void {}`,
    right: `export function halve(x: f32): f32 {
  return x / 2;
}
entry("my_filter", halve);
export function main(): void {}`,
  },
  {
    code: "TMC2013",
    title: "model.yaml does not fit the model",
    rule: "What the descriptor beside a model says of the file (model: file, bytes, sha256), of shape, type, scale and zero point of input and output, and the number of labels must be what the model has; what it does not say is not checked. The message names each field, what the model has (expected) and what the descriptor says (found). `tmc model describe MODEL --out model.yaml` corrects everything but labels.",
    wrong: `name: vibration
output:
  labels:
    - healthy
    - damaged`,
    right: `name: vibration
output:
  labels:
    - healthy
    - imbalance
    - bearing`,
  },
];
