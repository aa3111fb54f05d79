/** Background requests: queue, priority, deadlines, traps. */
import { beforeEach, describe, expect, it } from "vitest";
import { errorName } from "../../test/support/firmware-node.js";
import { one, serveNode, type ServedNode } from "../../test/support/fixtures/served-node.js";

let node: ServedNode;
let platform: ServedNode["platform"];
let bus: ServedNode["bus"];
let slow: ServedNode["slow"];

function boot(...options: Parameters<typeof serveNode>): void {
  node = serveNode(...options);
  ({ platform, bus, slow } = node);
}

beforeEach(() => boot());

describe("background requests", () => {
  it("run one at a time while quick ones are answered", () => {
    bus.send({ operation: "test.slow", id: 1, arguments: one(10) });
    bus.send({ operation: "test.slow", id: 2, arguments: one(1) });
    expect(bus.ask({ operation: "node.monitor", id: 3 }).result?.get(5)).toBe(2);
    expect(slow.ran).toEqual([1]);
    platform.advance(1000);
    const done = bus.answers();
    expect(done.map((a) => [a.id, a.stage])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(done[0]?.executedUs).toBe(110_000);
    expect(done[1]?.queuedUs).toBeGreaterThanOrEqual(110_000);
  });

  it("run by priority, then by arrival", () => {
    boot(4);
    bus.send({ operation: "test.slow", id: 1, arguments: one(3) });
    bus.send({ operation: "test.slow", id: 2 });
    bus.send({ operation: "test.slow", id: 3, priority: 200 });
    bus.send({ operation: "test.slow", id: 4 });
    platform.advance(1000);
    expect(slow.ran).toEqual([1, 3, 2, 4]);
  });

  it("above the queue are refused with a time to retry", () => {
    bus.send({ operation: "test.slow", arguments: one(100) });
    bus.send({ operation: "test.slow", arguments: one(100) });
    bus.answers();
    bus.send({ operation: "test.slow" });
    const [busy] = bus.answers();
    expect(busy?.stage).toBe(2);
    expect(errorName(busy as never)).toBe("busy");
    expect(busy?.error?.get(3)).toBe(100);
  });

  it("end at their deadline, running or waiting", () => {
    bus.send({ operation: "test.slow", id: 1, arguments: one(1000), deadlineMs: 300 });
    bus.send({ operation: "test.slow", id: 2, arguments: one(1000), deadlineMs: 100 });
    bus.answers();
    platform.advance(90);
    expect(bus.answers()).toEqual([]);
    platform.advance(10);
    expect(bus.answers().map((a) => [a.id, a.stage, errorName(a)])).toEqual([[2, 2, "deadline"]]);
    platform.advance(200);
    const [late] = bus.answers();
    expect([late?.id, errorName(late as never)]).toEqual([1, "deadline"]);
    expect(slow.ran).toEqual([1]);
    expect(slow.aborted).toBe(1);
    platform.advance(20_000);
    expect(bus.answers()).toEqual([]);
  });

  it("have 10 s when they do not say", () => {
    bus.send({ operation: "test.slow", arguments: one(100_000) });
    bus.answers();
    platform.advance(9_990);
    expect(bus.answers()).toEqual([]);
    platform.advance(10);
    expect(bus.answers().map(errorName)).toEqual(["deadline"]);
  });

  it("that trap are answered, and the next one runs", () => {
    bus.send({
      operation: "test.slow",
      id: 1,
      arguments: new Map([
        [0, 2],
        [1, 1],
      ]),
    });
    bus.send({ operation: "test.slow", id: 2 });
    bus.answers();
    platform.advance(500);
    const [first, second] = bus.answers();
    expect([first?.id, errorName(first as never), first?.error?.get(4)]).toEqual([1, "function-failed", 1]);
    expect([second?.id, errorName(second as never)]).toEqual([2, "none"]);
    expect(slow.aborted).toBe(1);
  });

  it("keep their deadline over the wrap of the clock", () => {
    platform.nowMs = 0xffffffff - 50;
    platform.advance(10);
    bus.send({ operation: "test.slow", arguments: one(1000), deadlineMs: 200 });
    bus.answers();
    platform.advance(190);
    expect(bus.answers()).toEqual([]);
    platform.advance(20);
    expect(bus.answers().map(errorName)).toEqual(["deadline"]);
  });
});
