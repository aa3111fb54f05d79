import { task, runTasks, sleep, Signal, tasksDueIn } from "tmc";
const done = new Signal<i32>();
async function add(a: i32, b: i32): Promise<i32> {
  await sleep(20);
  return a + b;
}
task(async () => {
  for (let i = 0; i < 3; i++) {
    log("tick", i);
    await sleep(10);
  }
  const sum = (await add(1, 2)) + (await add(3, 4));
  done.set(sum);
});
task(async () => {
  const v = await done.wait();
  log("got", v);
});
export function main(): void {
  for (let t: u32 = 0; t < 120; t += 10) {
    log("t", t, tasksDueIn(t));
    runTasks(t);
  }
}
