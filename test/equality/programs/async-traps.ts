// Errors through waits: try, catch and finally around them, and what happens to a task that does not catch.
import { runTasks, sleep, task } from "tmc";

const table: i32[] = [1, 2, 3];
const numbers: RomArray<i32> = [0, 1, 2, 3, 4, 5];

async function at(i: i32): Promise<i32> {
  await sleep(1);
  return table[i];
}
async function fails(late: boolean): Promise<void> {
  if (late) await sleep(2);
  throw new Error("fails");
}

async function caught(i: i32): Promise<i32> {
  try {
    log("try", i);
    const x = await at(i);
    if (x === 2) throw new Error("two");
    return x;
  } catch (e) {
    log("caught", e.kind, e.message);
    await sleep(1);
    log("still", e.kind, e.message);
    return -1;
  }
}

async function again(): Promise<void> {
  try {
    try {
      await fails(true);
    } catch (e) {
      log("inner", e.message);
      await sleep(1);
      throw e;
    }
  } catch (e) {
    log("outer", e.message, e.kind);
  }
  try {
    await caught(0);
    await fails(false);
    log("not here");
  } catch {
    log("without a name");
  }
}

async function inHandler(): Promise<i32> {
  try {
    return await at(9);
  } catch {
    return (await at(0)) + (await at(1));
  }
}

async function finals(n: i32): Promise<i32> {
  for (const k of numbers) {
    try {
      log("turn", k);
      if (k === 1) continue;
      if (k === n) break;
      if (k === 3) return await at(1);
      if (k === 2 && n > 8) await fails(true);
      await sleep(1);
    } finally {
      log("finally", k);
      await sleep(1);
      log("finally ends", k);
    }
  }
  return 100;
}

async function nested(x: i32): Promise<string> {
  try {
    try {
      if (x === 0) return "returned";
      await at(x);
      return "read";
    } finally {
      await sleep(1);
      log("first", x);
    }
  } catch (e) {
    log("catch", e.kind);
    await sleep(1);
    return "caught";
  } finally {
    log("second", x);
  }
}

async function insideLoop(): Promise<void> {
  let tries: i32 = 0;
  while (tries < 3) {
    tries++;
    try {
      if (tries === 1) await fails(true);
      if (tries === 2) {
        // A plain finally on the way out of a loop that waits.
        try {
          if (table.length === 3) continue;
        } finally {
          log("plain");
        }
      }
      await sleep(1);
      break;
    } catch (e) {
      log("try", tries, e.message);
    }
  }
  log("tries", tries);
}

async function finallyTraps(): Promise<void> {
  try {
    try {
      await fails(false);
    } finally {
      await at(4);
    }
  } catch (e) {
    log("replaced by", e.kind);
  }
}

let ended = false;
task(async () => {
  for (const i of numbers) log(await caught(i));
  await again();
  log(await inHandler());
  log(await finals(4));
  log(await finals(2));
  try {
    log(await finals(9));
  } catch (e) {
    log("from finals", e.message);
  }
  log(await nested(0), await nested(1), await nested(7));
  await insideLoop();
  await finallyTraps();
  ended = true;
});

const doomed = task(async () => {
  await sleep(5);
  log("doomed");
  log(await at(12));
});

export function main(): void {
  for (let t: u32 = 0; t < 2000 && !ended; t++) runTasks(t);
  log("ended", ended, doomed.running, doomed.traps);
  doomed.start();
  for (let t: u32 = 3000; t < 3020; t++) runTasks(t);
  log("again", doomed.running, doomed.traps);
}
