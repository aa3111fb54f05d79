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
  },
  {
    code: "TMC2002",
    title: "cannot be represented on the device",
    rule: "A handler reaches an object of a kind that exists in setup only. The message names the path to it from the program's roots.",
  },
  {
    code: "TMC2003",
    title: "used before setup gave it a value",
    rule: "The modules run in the order of their imports, from top to bottom.",
  },
  {
    code: "TMC2004",
    title: "an asset cannot be read",
    rule: "Paths of assets are relative to the module that names them.",
  },
  {
    code: "TMC2005",
    title: "a model with several inputs or outputs",
    rule: "A model of a node has one of each.",
  },
  {
    code: "TMC2006",
    title: "model.yaml is not valid",
    rule: "The file beside a model describes it: name, version, task, labels, unit, rate. The message names the key.",
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
  },
  {
    code: "TMC2009",
    title: "setup ended with an error",
    rule: "The top level of the modules runs when the program is built, as JavaScript; an error there ends the build.",
  },
  {
    code: "TMC2010",
    title: "nothing implements a bound function here",
    rule: "In a unit test a bound C function needs a host function: `bind`, or the simulated platform.",
  },
  {
    code: "TMC2011",
    title: "setup did not end",
    rule: "It runs when the program is built, and is stopped after a while.",
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
];
