// Waits in the middle of expressions: the order of evaluation is ECMAScript's.
import { runTasks, sleep, task } from "tmc";

let trace: i32 = 0;
async function late(x: i32): Promise<i32> {
  log("late", x);
  await sleep(1);
  trace++;
  return x;
}
function now(x: i32): i32 {
  log("now", x);
  return x;
}
async function lateYes(b: boolean): Promise<boolean> {
  log("lateYes", b);
  await sleep(1);
  return b;
}
async function maybe(x: i32): Promise<i32 | null> {
  await sleep(1);
  return x > 0 ? x : null;
}
function add3(a: i32, b: i32, c: i32): i32 {
  return a * 100 + b * 10 + c;
}

class Box {
  n: i32 = 1;
  readonly items: i32[] = [10, 20, 30];
  self(): Box {
    log("self");
    return this;
  }
  async get(i: i32): Promise<i32> {
    await sleep(1);
    return this.items[i];
  }
  async addTo(i: i32): Promise<i32> {
    this.n += await late(i);
    return this.n;
  }
}
const box = new Box();
let global: i32 = 5;
async function setGlobal(x: i32): Promise<i32> {
  await sleep(1);
  global = x;
  return x;
}

async function arithmetic(): Promise<void> {
  log(now(1) + (await late(2)) * now(3));
  log(add3(now(1), await late(2), now(3)));
  log(add3(await late(1), await late(2), await late(3)));
  log((await late(await late(4))) - (await late(1)));
  log(-(await late(7)), ~(await late(0)), now(5) % (await late(3)));
  // The value before the wait counts.
  let x: i32 = 1;
  log(x + (await late(x++)) + x);
  const before = global + (await setGlobal(50)) + global;
  log(before);
  global += await setGlobal(100);
  log(global);
}

async function conditions(): Promise<void> {
  log((await lateYes(true)) && (await lateYes(false)));
  log((await lateYes(false)) && (await lateYes(true)));
  log((await lateYes(false)) || (await lateYes(true)));
  log((await lateYes(true)) || (await lateYes(false)));
  log(now(1) === 1 && (await lateYes(true)), now(0) === 1 || (await lateYes(false)));
  log(!(await lateYes(true)) ? now(1) : now(2));
  log((await lateYes(true)) ? await late(1) : await late(2));
  log(now(3) > 2 ? now(4) : await late(5));
  log((await maybe(3)) ?? now(9), (await maybe(0)) ?? (await late(8)));
  if ((await late(1)) === 1 && ((await late(2)) === 3 || now(4) === 4)) log("taken");
  const m = await maybe(6);
  if (m !== null) log("maybe", m + (await late(1)));
}

async function places(): Promise<void> {
  const a = box.items;
  a[now(0)] = await late(11);
  a[now(1)] += await late(5);
  box.self().n = await late(2);
  box.self().n *= await late(4);
  log(a[0], a[1], box.n);
  log(await box.get(await box.get(0) - 9), box.self().items[await late(1)]);
  log(await box.addTo(3), box.n++ + (await late(1)), box.n);
  let i: i32 = 0;
  a[i++] = i + (await late(10));
  log(i, a[0]);
  let last: i32 = 0;
  const chained = (last = await late(3));
  log(chained, last);
}

async function trapped(): Promise<void> {
  // The index is checked after the value is known.
  try {
    box.items[now(7)] = await late(1);
  } catch (e) {
    log("trap", e.kind);
  }
  try {
    box.items[now(8)] += await late(2);
  } catch (e) {
    log("trap first", e.kind, trace);
  }
}

interface Point {
  x: i32;
  y: i32;
}
const point: Point = { x: 0, y: 0 };
async function all(): Promise<void> {
  const [a, b, c] = await Promise.all([late(1), lateYes(true), late(now(3))]);
  log("all", a, b, c);
  await Promise.all([sleep(3), sleep(1)]);
  point.x = await late(4);
  point.y = point.x + (await late(5));
  log(point.x, point.y);
}

let ended = false;
task(async () => {
  await arithmetic();
  await conditions();
  await places();
  await trapped();
  await all();
  ended = true;
});

export function main(): void {
  for (let t: u32 = 0; t < 2000 && !ended; t++) runTasks(t);
  log("ended", ended, trace);
}
