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
  {
    code: "TMC6304",
    title: "not a key that can sign",
    rule: "Bundles are signed with a private Ed25519 key in PEM form, as `tmc function keygen` makes it. The public one (NAME.pub.pem) goes to the nodes.",
    wrong: "tmc function build rms.ts --sign owner.pub.pem -o rms.tmcf",
    right: "tmc function build rms.ts --sign owner.key.pem -o rms.tmcf",
  },
  {
    code: "TMC6305",
    title: "the key exists",
    rule: "`tmc function keygen` never overwrites a key: bundles that it signed would lose their signer.",
  },
  {
    code: "TMC6306",
    title: "not a function bundle",
    rule: "A bundle is one CBOR map of manifest, code and signature, at most 4 MB; the manifest names the digest of the code. The message says what does not fit. Usually the file was cut short or changed in transit.",
    wrong: "tmc function inspect rms.ts",
    right: "tmc function inspect rms.tmcf",
  },
  {
    code: "TMC6307",
    title: "the input does not fit the function",
    rule: "`tmc function inspect` shows element type and shape. `--values` are numbers in row-major order, `--input` a file of raw little-endian bytes.",
    wrong: "tmc function run rms.tmcf --values 1,2",
    right: "tmc function run rms.tmcf --values 1,2,3",
  },
  {
    code: "TMC6308",
    title: "the function failed",
    rule: "A trap, or more time than it was given. The message names the kind and, for a trap of the source, the place.",
  },
  {
    code: "TMC6309",
    title: "not a trusted function",
    rule: "`tmc function build --trusted` takes one file of ordinary TypeScript that exports `definition` and `run(input: Uint8Array)`, which gives bytes or a promise of bytes. `definition` has name, version, input and output: `{ elementType, shape, bytes }`, element type 1 = u8, 6 = f32, bytes of the largest. Of imports only those of Node.js are there.",
    wrong: "export const run = 1;",
    right:
      "export const definition = { name, version, input, output }; export function run(input: Uint8Array): Uint8Array { … }",
  },
  {
    code: "TMC6310",
    title: "the board runs no function images",
    rule: "Function images are machine code for slots in the flash of Cortex-M boards. A board without slots, as native_sim (x86) or the host, has none; complete nodes take bundles (`tmc function build` without --board).",
    wrong: "tmc function build rms.ts --board native_sim -o rms.tmci",
    right: "tmc function build rms.ts --board mps2_an386 -o rms.tmci",
  },
  {
    code: "TMC6311",
    title: "the function does not fit the board's slot",
    rule: "The board file's `functions` says how many bytes of flash, RAM, stack and output a function in a slot has. RAM holds the input and the output as elements too: `most` rows of both.",
    wrong: "input: new F32Values([-1, 3], { most: 4096 })",
    right: "input: new F32Values([-1, 3], { most: 512 })",
  },
  {
    code: "TMC6312",
    title: "no self-test of the function",
    rule: "A node switches to a function only after it gave the output that it gave here, on Node.js, for one input. That input is a pattern of small numbers, or yours: `--golden FILE` with raw little-endian bytes. It must fit the function's input and must not trap.",
    wrong: "tmc function build rms.ts --board mps2_an386 --golden empty.bin -o rms.tmci",
    right: "tmc function build rms.ts --board mps2_an386 --golden window.bin -o rms.tmci",
  },
  {
    code: "TMC6313",
    title: "the function's stack has no bound",
    rule: "A node calls a function only when its deepest call fits the stack that is left, so the bound must be known. The message names the call that has none.",
  },
];
