/** What `tmc explain` says about boards, toolchains and memory. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: CatalogueEntry[] = [
  {
    code: "TMC4001",
    title: "unknown board",
    rule: "A board is a YAML file: boards/NAME.yaml of your project, one of tmc's own, or any file named by its path. The message lists the names that are known here.",
    wrong: "tmc build --board b-l4s5i",
    right: "tmc build --board b_l4s5i_iot01a",
  },
  {
    code: "TMC4002",
    title: "invalid board file",
    rule: "A board file has a fixed shape; the message names the file, the key and what is expected there. Sizes are bytes, or text with K or M (1024, 1048576). The file's name is the board's name.",
    wrong: "budget: { flash: 2 megabytes, ram: 640K, stack: 8K }",
    right: "budget: { flash: 2M, ram: 640K, stack: 8K }",
  },
  {
    code: "TMC4003",
    title: "a tool or library is not installed",
    rule: "Boards are built with the compiler of their board file (gcc, arm-none-eabi-gcc) and some run in QEMU. The message names the Debian package that has it. `tmc doctor` checks all of them.",
  },
  {
    code: "TMC4004",
    title: "the board does not have this choice",
    rule: "clang and the sanitizers exist for boards of kind posix; bare-metal boards link programs, not nodes; the image of a Zephyr board is made in a Zephyr workspace.",
  },
  {
    code: "TMC4005",
    title: "the board cannot run here",
    rule: "Boards whose file says `run: { how: flash }` are real hardware: tmc makes the image, `west flash` writes it to the board.",
  },
  {
    code: "TMC4006",
    title: "the program did not end",
    rule: "A program for `tmc exec` runs to its end. One that exceeds the time limit, or writes output without end, is stopped.",
  },
  {
    code: "TMC4010",
    title: "over the board's budget",
    rule: "Flash, RAM and worst-case stack are measured on the linked image (or the compiled objects) and must not exceed the budget in the board file. The message names the largest contributors with their places and, for the stack, the deepest path.",
  },
  {
    code: "TMC4013",
    title: "the stack has no bound",
    rule: "The worst-case stack is the deepest path through the call graph, so functions may not call each other in a circle. The compiler reports recursion in TypeScript at its place; this is the same rule on the compiled code.",
  },
  {
    code: "TMC4014",
    title: "not an earlier result of tmc size",
    rule: "`tmc size --diff` compares with a document that `tmc size --json` printed for the same board.",
    wrong: "tmc size --board host --diff build/host/report.json",
    right: "tmc size --board host --json > before.json\ntmc size --board host --diff before.json",
  },
  {
    code: "TMC4015",
    title: "f64 on a board without double precision",
    rule: "A note, not an error. A constant with a fraction is an f64 where nothing says otherwise (`let x = 0.5`); on a CPU whose floating-point unit is single precision every operation with it is a call into a library, about twenty times slower. Say which you mean.",
    wrong: "let level = 0.5;",
    right: "let level: f32 = 0.5;",
  },
  {
    code: "TMC4090",
    title: "the C compiler rejected generated code",
    rule: "Generated C always compiles: this is a bug in tmc. Please report it with the program that shows it.",
  },
  {
    code: "TMC4091",
    title: "invalid symbol map",
    rule: "symbols.json is written by tmc for the memory report: this is a bug in tmc, or the file was changed.",
  },
];
