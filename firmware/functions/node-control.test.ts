/** `node.control` of a minimal node: restart, identify, and what it refuses. */
import { expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { createSimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { NodeUnderTest, errorAt } from "../../test/support/firmware-node.js";
import { Actuator } from "../core/actuator.js";
import { minimalNode } from "./minimal-node.js";
import { NodeControl } from "./node-control.js";

function boot(withLight: boolean) {
  const platform = createSimulatedPlatform({ actuators: { "led-1": 1 } });
  usePlatform(platform);
  const led = new Actuator("led-1");
  const options = { name: "t", version: "1", sensors: [], models: [], settings: [], labels: [], jobs: 2 };
  const node = minimalNode({ ...options, actuators: [led] });
  node.offer(new NodeControl(withLight ? led : null));
  node.serve();
  platform.start();
  const bus = new NodeUnderTest(platform);
  const order = (action: unknown) => ({
    operation: "node.control",
    arguments: new Map<number, unknown>([[0, action]]),
  });
  return { platform, bus, led, order };
}

it("restarts, and answers first", () => {
  const { platform, bus, order } = boot(false);
  expect(bus.ask(order("restart")).result).toEqual(new Map([[0, "restarting"]]));
  expect(platform.restarts).toBe(1);
});

it("blinks ten times, and leaves the light off", () => {
  const { platform, bus, led, order } = boot(true);
  bus.send(order("identify"));
  const seen: number[] = [];
  for (let ms = 0; ms < 3500; ms += 10) {
    platform.advance(10);
    seen.push(led.get());
  }
  expect(seen.filter((value, i) => value === 0 && seen[i - 1] === 1)).toHaveLength(10);
  expect(led.get()).toBe(0);
  expect(bus.answers().at(-1)?.result).toEqual(new Map([[0, "running"]]));
});

it("turns the light off when the deadline passes", () => {
  const { platform, bus, led, order } = boot(true);
  bus.send({ ...order("identify"), deadlineMs: 400 });
  platform.advance(1000);
  expect(bus.answers().map((answer) => answer.error?.get(0))).toEqual([undefined, 8]);
  expect(led.get()).toBe(0);
});

it.each(["drain", "", 7, "identify"])("refuses %j", (action) => {
  const { platform, bus, order } = boot(false);
  expect(errorAt(bus.ask(order(action)))).toMatch(/^bad-request arguments/);
  expect(platform.restarts).toBe(0);
});
