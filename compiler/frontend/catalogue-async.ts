/** TMC17xx: async functions. Examples are compiled by a test. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const asyncMessages: readonly CatalogueEntry[] = [
  {
    code: "TMC1701",
    title: "nobody waits for an async function",
    rule: "An async function has no frame of its own until someone waits for it: its frame is inside of the one that awaits it, or of the task that setup registered. A plain handler starts a task.",
    wrong: `import { sleep } from "tmc";
async function blink(): Promise<void> {
  await sleep(500);
}
export function main(): void {
  blink();
}`,
    right: `import { sleep, task } from "tmc";
async function blink(): Promise<void> {
  await sleep(500);
}
const blinking = task(blink, false);
export function main(): void {
  blinking.start();
}`,
  },
  {
    code: "TMC1702",
    title: "a promise is kept or passed on",
    rule: "A promise is the frame of a call, which lies in the frame of whoever waits. Several calls at once are waited for with `Promise.all`.",
    wrong: `import { sleep, task } from "tmc";
async function read(): Promise<i32> {
  await sleep(1);
  return 1;
}
task(async () => {
  const later = read();
  log(await later);
});
export function main(): void {}`,
    right: `import { sleep, task } from "tmc";
async function read(): Promise<i32> {
  await sleep(1);
  return 1;
}
task(async () => {
  const [a, b] = await Promise.all([read(), read()]);
  log(a + b);
});
export function main(): void {}`,
  },
  {
    code: "TMC1703",
    title: "`Promise` has `await` and `Promise.all` only",
    rule: "`then`, `catch` and `finally` would keep closures on a heap; the statements of the same names do the same. `Promise.all` takes an array literal, so that each call has a frame of its own.",
    wrong: `import { sleep, task } from "tmc";
task(async () => {
  await sleep(1).then(() => log(1));
});
export function main(): void {}`,
    right: `import { sleep, task } from "tmc";
task(async () => {
  await sleep(1);
  log(1);
});
export function main(): void {}`,
  },
  {
    code: "TMC1704",
    title: "`await` outside of an async function",
    rule: "Setup runs when the program is built, and a plain function has ended when it returns: neither can wait. A task can.",
    wrong: `import { sleep } from "tmc";
await sleep(1);
export function main(): void {}`,
    right: `import { sleep, task } from "tmc";
task(async () => {
  await sleep(1);
});
export function main(): void {}`,
  },
  {
    code: "TMC1705",
    title: "`await` of something that is not the call of an async function",
    rule: "There is nothing to wait for.",
    wrong: `import { task } from "tmc";
task(async () => {
  log(await 5);
});
export function main(): void {}`,
    right: `import { task } from "tmc";
task(async () => {
  log(5);
});
export function main(): void {}`,
  },
  {
    code: "TMC1706",
    title: "it is not known which async function is waited for",
    rule: "The frame of the function waited for is embedded in the one that waits. A method may be one of several classes', a function value one of several functions: each of them has its frame there. Functions made in generic ones are not among them, and at least one must come there.",
    wrong: `import { sleep, task } from "tmc";
function later<T>(x: T): () => Promise<T> {
  return async () => {
    await sleep(1);
    return x;
  };
}
const one = later<i32>(1);
task(async () => {
  log(await one());
});
export function main(): void {}`,
    right: `import { sleep, task } from "tmc";
function later(x: i32): () => Promise<i32> {
  return async () => {
    await sleep(1);
    return x;
  };
}
const one = later(1);
task(async () => {
  log(await one());
});
export function main(): void {}`,
  },
  {
    code: "TMC1707",
    title: "the variable of a loop shared with an async function",
    rule: "In ECMAScript each turn of a loop has its own variable of the loop's head, which the next turn begins with a copy of. An async closure would need to keep it; a constant in the loop is the same. Other variables may be shared.",
    wrong: `import { sleep, task } from "tmc";
for (let i: i32 = 0; i < 3; i++) {
  task(async () => {
    await sleep(i);
    log(i);
  });
}
export function main(): void {}`,
    right: `import { sleep, task } from "tmc";
for (let i: i32 = 0; i < 3; i++) {
  const n = i;
  task(async () => {
    await sleep(n);
    log(n);
  });
}
export function main(): void {}`,
  },
  {
    code: "TMC1708",
    title: "a wait in a loop over an iterator of JavaScript",
    rule: "The place of such a loop is not a value that a frame can keep. Loops over arrays, Maps, Sets and containers with an index can wait.",
    wrong: `import { sleep, task } from "tmc";
const names = new Map<i32, string>([[1, "one"]]);
const keys = names.keys();
task(async () => {
  for (const n of keys) {
    await sleep(1);
    log(n);
  }
});
export function main(): void {}`,
    right: `import { sleep, task } from "tmc";
const names = new Map<i32, string>([[1, "one"]]);
task(async () => {
  for (const n of names.keys()) {
    await sleep(1);
    log(n);
  }
});
export function main(): void {}`,
  },
  {
    code: "TMC1709",
    title: "an async function waits for itself",
    rule: "A frame contains the frames of what it waits for, so none may contain itself. The message shows the circle.",
    wrong: `import { sleep, task } from "tmc";
async function down(n: i32): Promise<void> {
  await sleep(1);
  if (n > 0) await down(n - 1);
}
task(() => down(3));
export function main(): void {}`,
    right: `import { sleep, task } from "tmc";
async function down(n: i32): Promise<void> {
  for (let i = n; i >= 0; i--) await sleep(1);
}
task(() => down(3));
export function main(): void {}`,
  },
];
