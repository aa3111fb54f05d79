/** Actuators: told in the birth record, set within their range, missing ones flagged. */
import { beforeEach, describe, expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { decodeBirth } from "../../host/bus/protocol.js";
import { createSimulatedPlatform, type SimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { NodeUnderTest } from "../../test/support/firmware-node.js";
import { minimalNode } from "../functions/minimal-node.js";
import { Actuator } from "./actuator.js";

let platform: SimulatedPlatform;
let led: Actuator;
let motor: Actuator;

function boot(actuators: Record<string, number>): number {
  platform = createSimulatedPlatform({ actuators });
  usePlatform(platform);
  led = new Actuator("led-1");
  motor = new Actuator("motor", { unit: "Hz", channels: ["left", "right"], least: -50, most: 50 });
  const options = { name: "t", version: "1", sensors: [], models: [], settings: [], labels: [], jobs: 1 };
  minimalNode({ ...options, actuators: [led, motor] }).serve();
  platform.start();
  const flags = new NodeUnderTest(platform).ask({ operation: "node.monitor" }).result?.get(3);
  return Number(flags);
}

describe("an actuator", () => {
  beforeEach(() => expect(boot({ "led-1": 1, motor: 2 })).toBe(0));

  it("is told with unit and range", () => {
    expect(decodeBirth(platform.published[0]?.payload ?? new Uint8Array()).actuators).toEqual([
      { name: "led-1", channels: 1, unit: "", range: [0, 1], channelNames: ["on"] },
      { name: "motor", channels: 2, unit: "Hz", range: [-50, 50], channelNames: ["left", "right"] },
    ]);
  });

  it("is set channel by channel, and remembers", () => {
    expect(motor.set(12.5, 1)).toBe(true);
    expect(motor.set(-50)).toBe(true);
    expect(platform.actuated.get("motor")).toEqual([-50, 12.5]);
    expect([motor.get(), motor.get(1), led.get()]).toEqual([-50, 12.5, 0]);
  });

  it.each([1.01, -0.1, Number.NaN, Infinity])("refuses %d outside its range", (value) => {
    expect(led.set(value)).toBe(false);
    expect(platform.actuated.has("led-1")).toBe(false);
  });

  it("keeps what it was set to when the board cannot", () => {
    expect(led.set(1)).toBe(true);
    platform.refuseActuators = true;
    expect(led.set(0)).toBe(false);
    expect(led.get()).toBe(1);
  });
});

it("flags an actuator that the board does not have, or that has other channels", () => {
  expect(boot({ "led-1": 1 })).toBe(4);
  expect(motor.set(1)).toBe(false);
  expect(boot({ "led-1": 2, motor: 2 })).toBe(4);
  expect(led.set(1)).toBe(false);
});
