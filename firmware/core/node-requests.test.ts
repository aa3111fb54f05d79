/** Requests to a node and how they end: acknowledgements, selection, refusals, traps, malformed ones, limits. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  decodeCbor,
  encodeCbor,
  encodeRequest,
  errorAt,
  errorName,
} from "../../test/support/firmware-node.js";
import {
  broken,
  counters as countersOf,
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

describe("requests", () => {
  it("get two acknowledgements, with the node and the times", () => {
    bus.send({ operation: "test.echo", id: 9, boot: 3, sender: "edge-7", input: Uint8Array.of(1, 2) });
    const [accepted, done] = bus.answers();
    expect(accepted?.bytes).toEqual(
      encodeCbor(
        new Map<number, unknown>([
          [0, 1],
          [1, 9],
          [2, 3],
          [3, "edge-7"],
          [4, 1],
          [5, "node-1"],
        ]),
      ),
    );
    expect([done?.stage, done?.id, done?.boot, done?.sender, done?.node]).toEqual([
      2,
      9,
      3,
      "edge-7",
      "node-1",
    ]);
    expect(done?.error).toBeUndefined();
    expect(done?.result?.get(0)).toEqual(Uint8Array.of(1, 2));
    expect(done?.queuedUs).toBe(0);
    expect(done?.executedUs).toBe(0);
  });

  it("that are brief get one answer when the work ends at once and well", () => {
    const stages = (): unknown[] => bus.answers().map((a) => [a.stage, errorName(a)]);
    const request = { operation: "test.echo", id: 9, input: Uint8Array.of(1), brief: true };
    bus.send(request);
    expect(stages()).toEqual([[2, "none"]]);
    bus.send(request);
    expect(stages()).toEqual([[2, "none"]]);
    expect(counters().get(4)).toBe(1);
    bus.send({ operation: "test.fail", brief: true });
    expect(stages()).toEqual([
      [1, "none"],
      [2, "corrupt"],
    ]);
    bus.send({ operation: "test.slow", arguments: new Map([[0, 2]]), brief: true });
    expect(stages()).toEqual([[1, "none"]]);
    platform.advance(200);
    expect(stages()).toEqual([[2, "none"]]);
    bus.send({ operation: "nope", brief: true });
    expect(stages()).toEqual([[2, "unknown-operation"]]);
    bus.send({ operation: "test.echo", brief: false });
    expect(stages().length).toBe(2);
    expect(errorAt(bus.ask({ operation: "test.echo", brief: 1 }))).toBe("bad-request brief");
  });

  it("that are brief and failed are answered after the reconnect", () => {
    platform.refusePublish = true;
    bus.send({ operation: "test.fail", id: 3, brief: true });
    platform.refusePublish = false;
    platform.advance(1000);
    expect(bus.answers().map((a) => [a.id, a.stage])).toEqual([[3, 2]]);
  });

  it("describe gives the birth record", () => {
    const birth = platform.published.find((p) => p.topic.endsWith("/b"));
    expect(bus.ask({ operation: "node.describe" }).result).toEqual(
      decodeCbor(birth?.payload ?? new Uint8Array()),
    );
  });

  it("monitor counts what happened", () => {
    bus.send({ operation: "nope" });
    bus.sendRaw(Uint8Array.of(0xff));
    bus.sendRaw(new Uint8Array(2000).fill(0xff));
    platform.advance(3500);
    const result = bus.ask({ operation: "node.monitor" }).result;
    expect([0, 1, 2, 3, 5].map((k) => result?.get(k))).toEqual([3, 5, 1, 0, 0]);
    expect(result?.get(4)).toEqual(
      new Map<number, unknown>([
        [0, 2],
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 0],
        [5, 0],
        [6, 0],
        [7, 0],
        [8, new Map([[2, 1]])],
      ]),
    );
  });

  it.each<[string, Parameters<typeof encodeRequest>[0]]>([
    ["unknown-operation operation", { operation: "model.train" }],
    ["no-capable-node selector", { selector: new Map([[2, "node-2"]]) }],
    ["no-capable-node selector", { selector: new Map([[3, ["pump", "hall-4"]]]) }],
    ["deadline deadline", { deadlineMs: 0 }],
    ["corrupt input.digest", { operation: "test.fail" }],
    ["function-failed", { operation: "test.trap" }],
    [
      "none",
      {
        selector: new Map<number, unknown>([
          [2, "node-1"],
          [3, ["hall-3", "pump"]],
        ]),
      },
    ],
    ["none", { deadlineMs: 1 }],
    ["none", { deadlineMs: 0xffffffff }],
  ])("end in %s", (expected, fields) => {
    expect(errorAt(bus.ask(fields))).toBe(expected);
  });

  it("tell kind, site and message of a trap, and the node lives on", () => {
    const failed = bus.ask({ operation: "test.trap" });
    expect([1, 4, 5].map((k) => failed.error?.get(k))).toEqual(["out of order", 6, broken.site]);
    const status = bus.ask({ operation: "node.monitor" }).result;
    expect((status?.get(4) as Map<number, unknown>).get(5)).toBe(1);
    expect(status?.get(3)).toBe(1);
  });

  it.each<[string, Map<number, unknown>]>([
    [
      "version version",
      new Map<number, unknown>([
        [0, 2],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "node.monitor"],
      ]),
    ],
    [
      "bad-request operation",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
      ]),
    ],
    [
      "bad-request operation",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, 7],
      ]),
    ],
    [
      "bad-request selector",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "x"],
        [5, [1]],
      ]),
    ],
    [
      "bad-request selector",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "x"],
        [5, new Map([[3, "pump"]])],
      ]),
    ],
    [
      "bad-request arguments",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "x"],
        [6, [1]],
      ]),
    ],
    [
      "bad-request input",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "x"],
        [7, 5],
      ]),
    ],
    [
      "bad-request input.descriptor",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "x"],
        [8, new Map([[0, 99]])],
      ]),
    ],
    [
      "bad-request accept",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "x"],
        [9, 1],
      ]),
    ],
    [
      "bad-request deadline",
      new Map<number, unknown>([
        [0, 1],
        [1, 1],
        [2, 1],
        [3, "a"],
        [4, "x"],
        [10, -1],
      ]),
    ],
  ])("that are malformed get %s", (expected, map) => {
    bus.sendRaw(encodeCbor(map));
    const answers = bus.answers();
    expect(answers.map((a) => a.stage)).toEqual([2]);
    expect(answers.map(errorAt)).toEqual([expected]);
  });

  it("skip unknown keys, also inside", () => {
    const map = new Map<number, unknown>([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, "a"],
      [4, "node.describe"],
      [5, new Map([[9, [1, [2]]]])],
    ]);
    map
      .set(15, { any: ["thing"] })
      .set(1000, null)
      .set(-3, 1.5);
    bus.sendRaw(encodeCbor(map));
    expect(bus.answers().map(errorName)).toEqual(["none", "none"]);
  });

  it("with keys that do not ascend, or bytes after the end, are malformed", () => {
    const good = encodeRequest({ operation: "node.describe", id: 1 });
    bus.sendRaw(Uint8Array.from([...good, 0]));
    expect(bus.answers().map(errorName)).toEqual(["bad-request"]);
    // {0: 1, 1: 1, 2: 1, 3: "a", 4: "b", 4: "c"}
    bus.sendRaw(Uint8Array.from([0xa6, 0, 1, 1, 1, 2, 1, 3, 0x61, 0x61, 4, 0x61, 0x62, 4, 0x61, 0x63]));
    expect(bus.answers().map(errorName)).toEqual(["bad-request"]);
  });

  it("above maxMsg get too-large", () => {
    bus.send({ operation: "test.echo", input: new Uint8Array(1024) });
    expect(bus.answers().map(errorName)).toEqual(["too-large"]);
  });

  it("whose answer is above maxMsg get too-large", () => {
    const answer = bus.ask({ operation: "test.echo", input: new Uint8Array(985) });
    expect(errorAt(answer)).toBe("too-large answer");
  });

  it.each(["", "Edge", "a_b", "0123456789abcdef01234567", "ö"])("of the sender %j are dropped", (sender) => {
    bus.send({ sender });
    expect(bus.answers()).toEqual([]);
    expect(counters().get(2)).toBe(1);
  });
});
