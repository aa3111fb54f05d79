/** Duplicates of requests, and answers that cannot be sent at once. */
import { beforeEach, describe, expect, it } from "vitest";
import { errorName } from "../../test/support/firmware-node.js";
import {
  counters as countersOf,
  one,
  serveNode,
  type ServedNode,
} from "../../test/support/fixtures/served-node.js";

let node: ServedNode;
let platform: ServedNode["platform"];
let bus: ServedNode["bus"];
let slow: ServedNode["slow"];

function boot(...options: Parameters<typeof serveNode>): void {
  node = serveNode(...options);
  ({ platform, bus, slow } = node);
}

const counters = (): Map<number, unknown> => countersOf(node);

beforeEach(() => boot());

describe("duplicates", () => {
  it("get the same bytes again and are not executed", () => {
    const request = { operation: "test.echo", id: 1, input: Uint8Array.of(7) };
    const first = bus.ask(request);
    platform.advance(500);
    bus.send({ ...request, input: Uint8Array.of(8) });
    const again = bus.answers();
    expect(again.map((a) => a.bytes)).toEqual([first.bytes]);
    expect(counters().get(4)).toBe(1);
  });

  it("differ by sender and by boot", () => {
    const request = { operation: "test.echo", id: 1 };
    bus.ask(request);
    for (const other of [
      { ...request, sender: "edge-2" },
      { ...request, boot: 2 },
      { ...request, id: 2 },
    ]) {
      bus.send(other);
      expect(bus.answers().map((a) => a.stage)).toEqual([1, 2]);
    }
  });

  it("of waiting and running requests are acknowledged again", () => {
    bus.send({ operation: "test.slow", id: 1, arguments: one(5) });
    bus.send({ operation: "test.slow", id: 2, arguments: one(5) });
    bus.answers();
    bus.send({ operation: "test.slow", id: 1, arguments: one(5) });
    bus.send({ operation: "test.slow", id: 2, arguments: one(5) });
    expect(bus.answers().map((a) => [a.id, a.stage])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    platform.advance(200);
    expect(bus.answers().map((a) => [a.id, a.stage])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(slow.ran).toEqual([1, 2]);
  });

  it("of refused requests are tried again", () => {
    for (let id = 1; id <= 3; id++) bus.send({ operation: "test.slow", id, arguments: one(2) });
    expect(bus.answers().map((a) => [a.id, errorName(a)])).toEqual([
      [1, "none"],
      [2, "none"],
      [3, "busy"],
    ]);
    platform.advance(200);
    bus.answers();
    bus.send({ operation: "test.slow", id: 3 });
    platform.advance(50);
    expect(bus.answers().map((a) => [a.id, a.stage, errorName(a)])).toEqual([
      [3, 1, "none"],
      [3, 2, "none"],
    ]);
  });
});

describe("answers that cannot be sent", () => {
  it("are sent after the reconnect, once", () => {
    bus.send({ operation: "test.slow", id: 1, arguments: one(2) });
    bus.answers();
    platform.disconnect();
    platform.advance(500);
    platform.connect();
    expect(bus.answers().map((a) => [a.id, a.stage])).toEqual([[1, 2]]);
    platform.advance(500);
    expect(bus.answers()).toEqual([]);
  });

  it("are sent when there is room again", () => {
    platform.refusePublish = true;
    bus.send({ operation: "test.echo", id: 1 });
    platform.refusePublish = false;
    platform.advance(10);
    expect(bus.answers().map((a) => [a.id, a.stage])).toEqual([[1, 2]]);
    expect(counters().get(7)).toBe(1); // the acknowledgement
  });
});
