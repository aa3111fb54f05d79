/** Random, damaged and too many messages: nothing traps, nothing is answered twice. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { encodeRequest } from "../../test/support/firmware-node.js";
import {
  counters as countersOf,
  one,
  serveNode,
  type ServedNode,
} from "../../test/support/fixtures/served-node.js";

let node: ServedNode;
let platform: ServedNode["platform"];
let bus: ServedNode["bus"];

function boot(...options: Parameters<typeof serveNode>): void {
  node = serveNode(...options);
  ({ platform, bus } = node);
}

const counters = (): Map<number, unknown> => countersOf(node);

beforeEach(() => boot());

describe("hostile input", () => {
  const alive = (): void => {
    expect(platform.traps).toEqual([]);
    expect(bus.ask({ operation: "node.describe", sender: "judge" }).error).toBeUndefined();
  };

  it("random bytes are dropped and counted", () => {
    let sent = 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        bus.sendRaw(bytes);
        sent++;
      }),
      { numRuns: 1000 },
    );
    const all = counters();
    expect(Number(all.get(2)) + Number(all.get(0)) - 1).toBe(sent);
    alive();
  });

  it("a damaged request gets at most one terminal answer", () => {
    const request = encodeRequest({
      operation: "test.echo",
      id: 5,
      selector: new Map<number, unknown>([
        [0, "m@1"],
        [3, ["pump"]],
      ]),
      arguments: new Map<number, unknown>([
        [0, "accelerometer"],
        [1, 5],
      ]),
      input: new Uint8Array(20),
      descriptor: new Map<number, unknown>([
        [0, 0],
        [1, [4, 5]],
        [3, 100],
        [4, "g"],
      ]),
      accept: new Map<number, unknown>([[0, 6]]),
      deadlineMs: 500,
    });
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 0, max: request.length - 1 }), fc.integer({ min: 0, max: 255 })),
          { maxLength: 4 },
        ),
        fc.integer({ min: 1, max: request.length }),
        (changes, length) => {
          const damaged = request.slice(0, length);
          for (const [at, byte] of changes) if (at < length) damaged[at] = byte;
          boot();
          bus.sendRaw(damaged);
          const terminal = bus.answers().filter((a) => a.stage === 2).length;
          const all = counters();
          expect(terminal + Number(all.get(2))).toBe(1);
          expect(platform.traps).toEqual([]);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("1000 requests in a burst end in one answer each", () => {
    const open = new Map<number, number>();
    for (let id = 1; id <= 1000; id++) {
      bus.send({
        operation: id % 3 === 0 ? "test.slow" : "test.echo",
        id,
        arguments: one(1),
        deadlineMs: 5000,
      });
    }
    platform.advance(1000);
    for (const answer of bus.answers())
      if (answer.stage === 2) open.set(answer.id, (open.get(answer.id) ?? 0) + 1);
    expect(open.size).toBe(1000);
    expect([...open.values()].every((n) => n === 1)).toBe(true);
    alive();
  });

  it("messages on other topics are ignored", () => {
    platform.subscriptions.add("t1/srv/node-1/r");
    platform.deliver("t1/srv/node-1/r", encodeRequest({ operation: "node.describe" }));
    expect(bus.answers()).toEqual([]);
  });
});
