// Every kind of control flow around a wait. One task: what it prints is what ECMAScript prints.
import { List, runTasks, sleep, task } from "tmc";

async function value(x: i32): Promise<i32> {
  log("value", x);
  await sleep(1);
  return x;
}
async function yes(b: boolean): Promise<boolean> {
  await sleep(1);
  log("test", b);
  return b;
}

async function branches(n: i32): Promise<string> {
  if (await yes(n > 2)) {
    if (n === 3) return "three";
    await sleep(1);
    log("more than three");
  } else if (n === 0) {
    await sleep(1);
    return "none";
  } else {
    log("few");
  }
  return "some";
}

async function loops(): Promise<i32> {
  let total: i32 = 0;
  for (let i = 0; i < 5; i++) {
    if (i === 1) continue;
    if (i === 4) break;
    total += await value(i);
  }
  while (await yes(total < 8)) {
    total++;
    if (total === 7) continue;
    await sleep(1);
  }
  do {
    total += 10;
    await sleep(1);
    if (total > 25) break;
  } while (await yes(total < 100));
  let endless: i32 = 0;
  for (;;) {
    endless++;
    if (endless > 3) return total + endless;
    await sleep(0);
  }
}

async function labels(): Promise<void> {
  outer: for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      if (j === 2) continue outer;
      if (i === 2) break outer;
      log("pair", i, await value(j));
    }
    log("not here");
  }
  outer2: for (const a of digits) {
    for (const b of digits) {
      if (a === 2) continue outer2;
      if (a * b === 3) {
        await sleep(1);
        break outer2;
      }
      log("product", a * b);
    }
    await sleep(1);
  }
}

const digits: RomArray<i32> = [1, 2, 3];
const counts: RomArray<i32> = [0, 1, 3, 4];
const words: RomArray<string> = ["a", "b", "c"];
const list = new List<i32>(4);
list.push(3);
list.push(5);

async function iterations(): Promise<void> {
  for (const w of words) {
    if (w === "b") continue;
    await sleep(1);
    log("word", w);
  }
  let sum: i32 = 0;
  for (const x of list) {
    sum += await value(x);
    if (x === 5 && list.length < 3) list.push(7);
  }
  log("sum", sum);
}

async function cases(x: i32): Promise<string> {
  switch (x) {
    case 0:
      await sleep(1);
      return "zero";
    case 1:
    case 2: {
      const y = await value(x * 10);
      if (y === 20) break;
      log("one", y);
      break;
    }
    case 3:
      log("three");
      break;
    default:
      await sleep(1);
      log("default", x);
  }
  switch (words[await value(x % 3)]) {
    case "a":
      return "first";
    case "b":
      await sleep(1);
      return "second";
    default:
      return "last";
  }
}

type Mode = "on" | "off" | "auto";
const modes: RomArray<Mode> = ["on", "off", "auto"];
async function literals(m: Mode): Promise<i32> {
  switch (m) {
    case "on":
      return await value(1);
    case "off":
      return value(2);
    case "auto":
      await sleep(1);
  }
  return 3;
}

/** Variables of one name in scopes beside and inside each other. */
async function scopes(): Promise<void> {
  const x = 1 + (await value(0));
  {
    const x = 2 + (await value(0));
    if (x === 2) {
      const x = 3;
      log("inner", x);
      await sleep(1);
      log("inner again", x);
    }
    log("middle", x);
  }
  {
    let x = 4;
    x += await value(1);
    log("beside", x);
  }
  log("outer", x);
  for (let i = 0; i < 2; i++) {
    const x = i * 10;
    await sleep(1);
    log("turn", i, x);
  }
}

async function early(n: i32): Promise<void> {
  if (n === 0) return;
  log("early", n);
  await sleep(1);
  for (let i = 0; i < n; i++) {
    if (i === 2) return;
    log("early turn", i);
  }
  log("early end");
}

/** A parameter that changes: the next call begins with its own. */
async function countdown(n: i32): Promise<i32> {
  let steps: i32 = 0;
  while (n > 0) {
    n--;
    steps++;
    await sleep(1);
  }
  return steps;
}

let ended = false;
task(async () => {
  for (const n of counts) log(await branches(n));
  log("loops", await loops());
  await labels();
  await iterations();
  for (let i = 0; i < 5; i++) log(await cases(i));
  for (const m of modes) log("mode", m, await literals(m));
  await scopes();
  await early(0);
  await early(1);
  await early(5);
  log("countdown", await countdown(3), await countdown(0), await countdown(2));
  ended = true;
});

export function main(): void {
  for (let t: u32 = 0; t < 2000 && !ended; t++) runTasks(t);
  log("ended", ended);
}
