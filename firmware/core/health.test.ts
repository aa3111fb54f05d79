/** What a node tells of its device: stack, high-water marks, traps, and the crash that ended an earlier boot. */
import { describe, expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import type { SimulatedPlatformOptions } from "../../host/runtime/simulated-platform.js";
import { TmcTrap } from "../../compiler/backend-js/support.js";
import { decodeAnswer, resultOf } from "../../host/bus/protocol.js";
import { NodeUnderTest } from "../../test/support/firmware-node.js";
import { countingFrames, vibrationPlatform } from "../../test/support/vibration-platform.js";
import { DataCollect } from "../functions/data-collect.js";
import { minimalNode } from "../functions/minimal-node.js";
import { FunctionOperation } from "./operation.js";
import { Sensor } from "./sensor.js";
import { NumberSetting } from "./setting.js";

function boot(options: SimulatedPlatformOptions = {}) {
  const accelerometer = { channels: 3, frame: countingFrames, ringFrames: 20 };
  const platform = vibrationPlatform({ sensors: { accelerometer }, ...options });
  usePlatform(platform);
  const sensor = new Sensor("accelerometer", {
    unit: "g",
    channels: ["x", "y", "z"],
    rate: 100,
    maxRate: 1000,
  });
  const node = minimalNode({
    name: "t",
    version: "1",
    sensors: [sensor],
    models: [],
    settings: [],
    labels: [],
    jobs: 4,
  });
  node.offer(new DataCollect([sensor], new NumberSetting("rate", 0, 0, 1000)));
  node.offer(
    new FunctionOperation("own.trap", () => {
      throw new TmcTrap("throw", "own.ts:1:1", "no");
    }),
  );
  node.serve();
  platform.start();
  const bus = new NodeUnderTest(platform);
  const monitor = () => resultOf("node.monitor", decodeAnswer(bus.ask({ operation: "node.monitor" }).bytes));
  return { platform, bus, monitor };
}

const collect = (frames: number) => ({
  operation: "data.collect",
  arguments: new Map<number, unknown>([
    [0, "accelerometer"],
    [1, frames],
    [2, 100],
    [3, 1],
  ]),
});

describe("node.monitor", () => {
  it("leaves out what the platform does not know and what did not happen", () => {
    const { monitor } = boot();
    const told = monitor();
    expect(told.peaks).toEqual({ jobs: 0, unsent: 0, frames: 0 });
    expect(Object.keys(told).filter((name) => /stackFree|crash|trap|drift/.test(name))).toEqual([]);
    expect(told.errorFlags).toBe(0);
  });

  it("tells the stack that was never used and the crash of an earlier boot", () => {
    const crash = { kind: 16, site: 0, boot: 41, work: "model.infer" };
    const told = boot({ stackFree: 1234, crash, resetReason: 4 }).monitor();
    expect(told).toMatchObject({ stackFree: 1234, crash, errorFlags: 8, resetReason: 4 });
  });

  it("keeps an old crash but flags only the one of the boot before", () => {
    const crash = { kind: 5, site: 99, boot: 3, work: "" };
    expect(boot({ crash, resetReason: 1 }).monitor()).toMatchObject({ crash, errorFlags: 0 });
    expect(boot({ crash, resetReason: 6 }).monitor().errorFlags).toBe(8);
  });

  it("tells the last trap, with its site", () => {
    const { bus, monitor } = boot();
    const error = bus.ask({ operation: "own.trap" }).error;
    const told = monitor();
    expect(told.trap).toEqual({ kind: 6, site: error?.get(5) });
    expect([told.counters.traps, told.errorFlags]).toEqual([1, 1]);
  });

  it("tells the most that queues held, not what they hold", () => {
    const { platform, bus, monitor } = boot();
    for (let i = 0; i < 3; i++) bus.send(collect(5));
    platform.refusePublish = true;
    platform.advance(400);
    platform.refusePublish = false;
    platform.advance(1000);
    expect(monitor()).toMatchObject({ active: 0, peaks: { jobs: 3, unsent: 3 } });
    expect(monitor().peaks?.frames).toBeGreaterThan(0);
  });

  it("says to the platform what it works on", () => {
    const { platform, bus } = boot();
    bus.ask(collect(2), 100);
    expect(new Set(platform.works)).toEqual(new Set(["data.collect"]));
  });
});
