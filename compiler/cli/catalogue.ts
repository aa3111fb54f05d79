/** Messages of the command line and the environment (TMC00xx), for `tmc explain`. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC0001",
    title: "unknown command",
    rule: "`tmc --help` lists the commands. A near miss is suggested.",
    wrong: "tmc biuld --board host",
    right: "tmc build --board host",
  },
  {
    code: "TMC0002",
    title: "unknown option",
    rule: "Each command has its own options: `tmc COMMAND --help` lists them.",
    wrong: "tmc build --bord host",
    right: "tmc build --board host",
  },
  {
    code: "TMC0003",
    title: "something is missing on the command line",
    rule: "An argument in <angle brackets>, or the value of an option, was not given.",
    wrong: "tmc explain --json=",
    right: "tmc explain TMC1203 --json",
  },
  {
    code: "TMC0004",
    title: "too many arguments",
    rule: "The command takes fewer arguments than were given. A path with spaces needs quotes.",
  },
  {
    code: "TMC0005",
    title: "the value of an option is not allowed",
    rule: "The message lists the values that are.",
    wrong: "tmc exec program.ts --on cloud",
    right: "tmc exec program.ts --on node,host",
  },
  {
    code: "TMC0006",
    title: "tmc is not built",
    rule: "A source tree of tmc runs from dist/, which `npm ci` or `npm run build` makes.",
  },
  {
    code: "TMC0010",
    title: "no such file",
    rule: "Paths are relative to the current folder.",
  },
  {
    code: "TMC0011",
    title: "not a TypeScript source",
    rule: "Programs and apps are .ts files (not .d.ts).",
  },
  {
    code: "TMC0012",
    title: "no app to build",
    rule: "Without an argument, `tmc build` and `tmc run` take the app that tmc.json names, or firmware/app.ts; tmc.json is looked for in the current folder and above it.",
    right: '{ "app": "src/app.ts" }',
  },
  {
    code: "TMC0013",
    title: "tmc.json is not valid",
    rule: "It is a JSON object with the key `app`: the path of the app's source, relative to tmc.json.",
    wrong: '{ "main": "src/app.ts" }',
    right: '{ "app": "src/app.ts" }',
  },
  {
    code: "TMC0014",
    title: "cannot write the output",
    rule: "The folder of --out must be one that can be created and written.",
  },
  {
    code: "TMC0020",
    title: "unknown message code",
    rule: "`tmc explain` without an argument lists all codes.",
    wrong: "tmc explain 1203",
    right: "tmc explain TMC1203",
  },
  {
    code: "TMC0040",
    title: "the folder is not empty",
    rule: "`tmc new` writes into a folder that does not exist yet or has nothing in it, so that it never overwrites work.",
  },
  {
    code: "TMC0041",
    title: "not a usable project name",
    rule: "The name of the folder becomes the name of the package and of the node: 1-23 characters of a-z, 0-9 and -, starting with a letter.",
    wrong: "tmc new My_Node",
    right: "tmc new my-node",
  },
  {
    code: "TMC0050",
    title: "targets printed different output",
    rule: "Node.js, host C and Cortex-M4 must print the same bytes. A difference is a bug in tmc; please report it with the program.",
  },
  {
    code: "TMC0051",
    title: "an uncaught trap ended the program",
    rule: "A trap (index, null, division, overflow, capacity, throw, stack, assert) unwound out of main(). The message names its kind and place. Catch it with `try`, or mend the cause.",
  },
  {
    code: "TMC0053",
    title: "an app cannot run on this board",
    rule: "A bare-metal board has no network: programs run on it (`tmc exec`), nodes do not.",
    wrong: "tmc run --board qemu_cortex_m4",
    right: "tmc run --board host",
  },
  {
    code: "TMC0054",
    title: "a file that this board does not take at its start",
    rule: "Zephyr nodes keep passwords and keys in their settings, which `tmc provision` writes; the process of board host is given files.",
    wrong: "tmc run --board native_sim --update-key owner.pub.pem",
    right: "tmc run --board host --update-key owner.pub.pem",
  },
  {
    code: "TMC0060",
    title: "not a map of trap sites",
    rule: "Traps carry a number; the build writes which place each number means into build/BOARD/sites.json.",
    wrong: "tmc decode 17 --sites build/host/symbols.json",
    right: "tmc decode 17 --sites build/host/sites.json",
  },
  {
    code: "TMC0061",
    title: "no such trap site",
    rule: "The numbers of two builds differ: decode with the sites.json of the build that runs on the device.",
  },
  {
    code: "TMC0099",
    title: "internal error",
    rule: "A bug in tmc. The text that was printed with it helps to find it.",
  },
];
