/** Tasks of a node in unit tests: the simulated platform's clock moves them, to the millisecond. The text is in docs/testing.md. */
import { expect, test } from "vitest";
import { createSimulatedPlatform, usePlatform } from "../../../host/runtime/testing.js";

const platform = createSimulatedPlatform({ nodeId: "lamp-1" });
usePlatform(platform); // before the app is imported
const app = await import("./lamp.js");
platform.start();
platform.advance(1); // the first tick begins the tasks

test("the lamp blinks every half second", () => {
  platform.advance(499);
  expect(app.lamp.on).toBe(false);
  platform.advance(1);
  expect(app.lamp.on).toBe(true);
  platform.advance(500);
  expect(app.lamp.on).toBe(false);
});

test("it flashes to the millisecond", () => {
  app.flashes.set(1);
  platform.advance(1); // what a test changes by itself, tasks see at the next tick
  expect([app.flashes.isSet, app.lamp.on]).toEqual([false, true]);
  platform.advance(6);
  expect(app.lamp.on).toBe(true);
  platform.advance(1);
  expect(app.lamp.on).toBe(false);
  const before = app.lamp.changes;
  platform.advance(100);
  expect(app.lamp.changes - before).toBe(4); // two flashes more
});

test("nothing wakes it between", () => {
  const before = platform.ticks;
  platform.advance(10_000);
  // Two changes and a second of uptime each second, and the end of `advance`.
  expect(platform.ticks - before).toBeLessThanOrEqual(31);
});

test("a trap ends its task, is counted, and the others go on", () => {
  app.flashes.set(2);
  platform.advance(1);
  expect([app.flasher.running, app.flasher.traps]).toEqual([false, 1]);
  const before = app.lamp.changes;
  platform.advance(1000);
  expect(app.lamp.changes - before).toBe(2);
  expect(app.heartbeat.running).toBe(true);
});

test("a stopped task is started again from its beginning", () => {
  expect(app.flasher.start()).toBe(true);
  platform.advance(1);
  app.flashes.set(0);
  platform.advance(1);
  const before = app.lamp.changes;
  platform.advance(7);
  expect(app.lamp.changes - before).toBe(1);
});
