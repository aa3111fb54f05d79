/** Messages about functions and their bundles (TMC63xx), for `tmc explain`. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC6301",
    title: "not a module with one function",
    rule: "`tmc function build` takes a module that exports exactly one `new NodeFunction({ … })`. What several functions share is in modules that they import.",
    wrong: "export function rms(input: Float32Array): f32 { … }",
    right: "export const rms = new NodeFunction({ name, version, input, output, run });",
  },
  {
    code: "TMC6302",
    title: "a function needs its input alone",
    rule: "What a function computes may depend on nothing but its input: it can run anywhere, several times, side by side. Sensors, clock, random numbers, storage and the bus belong to nodes; functions of C are not there.",
    wrong: "run: (input, output) => { output[0] = clockMs(); return 1; }",
    right: "run: (input, output) => { output[0] = input[0]; return 1; }",
  },
  {
    code: "TMC6303",
    title: "the function does not fit a bundle",
    rule: "Names are 1-32 characters of a-z 0-9 . _ -, versions of 0-9 A-Z a-z . + _ -. Input and output have at most 1 MB each, code at most 3 MB.",
    wrong: "input: new F32Values([-1, 3], { most: 1000000 })",
    right: "input: new F32Values([-1, 3], { most: 512 })",
  },
];
