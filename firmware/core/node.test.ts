/** The records that a node publishes about itself: birth, will, telemetry. Its requests: node-*.test.ts. */
import { beforeEach, describe, expect, it } from "vitest";
import { decodeCbor } from "../../test/support/firmware-node.js";
import {
  counters as countersOf,
  serveNode,
  type ServedNode,
} from "../../test/support/fixtures/served-node.js";

let node: ServedNode;
let platform: ServedNode["platform"];

function boot(...options: Parameters<typeof serveNode>): void {
  node = serveNode(...options);
  ({ platform } = node);
}

const counters = (): Map<number, unknown> => countersOf(node);

beforeEach(() => boot());

describe("records", () => {
  it("announces itself after connecting", () => {
    expect([...platform.subscriptions]).toEqual(["t1/srv/node-1/x"]);
    const [birth, state] = platform.published;
    expect(birth?.topic).toBe("t1/srv/node-1/b");
    expect(birth?.retain).toBe(true);
    expect(birth?.qos).toBe(1);
    const expected = new Map<number, unknown>([
      [0, 1],
      [1, "node-1"],
      [2, 5],
      [3, 0],
      [4, "test"],
      [5, "1.2.3"],
      [6, 1024],
      [7, 2],
      [
        8,
        [
          "node.describe",
          "node.monitor",
          "node.configure",
          "test.slow",
          "test.echo",
          "test.trap",
          "test.fail",
        ],
      ],
      [12, ["hall-3", "pump"]],
    ]);
    expect(decodeCbor(birth?.payload ?? new Uint8Array())).toEqual(expected);
    expect(state?.topic).toBe("t1/srv/node-1/s");
    expect(state?.retain).toBe(true);
    const record = decodeCbor(state?.payload ?? new Uint8Array()) as Map<number, unknown>;
    expect([0, 1, 2, 3, 4, 5, 6].map((k) => record.get(k))).toEqual([1, "node-1", 5, true, 1, 0, 0]);
  });

  it("leaves a will that says offline with its boot counter", () => {
    expect(platform.will?.topic).toBe("t1/srv/node-1/s");
    expect(platform.will?.retain).toBe(true);
    expect(decodeCbor(platform.will?.payload ?? new Uint8Array())).toEqual(
      new Map<number, unknown>([
        [0, 1],
        [1, "node-1"],
        [2, 5],
        [3, false],
      ]),
    );
  });

  it("announces itself again after a reconnect and counts it", () => {
    platform.published.length = 0;
    platform.disconnect();
    platform.connect();
    expect(platform.takePublished("/b")).toHaveLength(1);
    expect(platform.takePublished("/s")).toHaveLength(1);
    expect(counters().get(6)).toBe(1);
  });

  it("publishes telemetry at its interval, while connected", () => {
    platform.advance(59_990);
    expect(platform.takePublished("/e")).toHaveLength(0);
    platform.advance(60_020);
    const events = platform.takePublished("/e");
    expect(events).toHaveLength(2);
    const event = decodeCbor(events[1]?.payload ?? new Uint8Array()) as Map<number, unknown>;
    expect([1, 2, 3, 4].map((k) => event.get(k))).toEqual(["node-1", 5, 1, "telemetry"]);
    expect((event.get(5) as Map<number, unknown>).get(0)).toBe(120);
    platform.disconnect();
    platform.advance(120_000);
    expect(platform.takePublished("/e")).toHaveLength(0);
  });

  it("makes no telemetry offline: one event after the reconnection tells the sums", () => {
    platform.connect();
    platform.takePublished("/e");
    platform.disconnect();
    platform.advance(600_000);
    expect(platform.takePublished("/e")).toHaveLength(0);
    platform.connect();
    platform.advance(10_000);
    const events = platform.takePublished("/e");
    expect(events).toHaveLength(1);
    const event = decodeCbor(events[0]?.payload ?? new Uint8Array()) as Map<number, unknown>;
    const status = event.get(5) as Map<number, unknown>;
    expect(status.get(0)).toBeGreaterThanOrEqual(600);
  });
});
