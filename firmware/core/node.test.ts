/** The life of a node: records, requests, refusals, duplicates, deadlines, queue, traps. With operations of the test. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { TmcTrap } from "../../compiler/backend-js/support.js";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { createSimulatedPlatform, type SimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import {
  NodeUnderTest,
  decodeCbor,
  encodeCbor,
  encodeRequest,
  errorAt,
  errorName,
} from "../../test/support/firmware-node.js";
import { minimalNode } from "../functions/minimal-node.js";
import type { Answer } from "./answer.js";
import { FunctionOperation, Operation } from "./operation.js";
import { ErrorCode } from "./protocol.js";
import type { Request } from "./request.js";

/** Takes as many polls as its argument 0 says; argument 1: then traps. */
class Slow extends Operation {
  left = 0;
  traps = 0;
  aborted = 0;
  ran: number[] = [];

  constructor() {
    super("test.slow");
  }
  override inBackground(): boolean {
    return true;
  }
  override run(request: Request): boolean {
    this.left = request.uintArgument(0, 0);
    this.traps = request.uintArgument(1, 0);
    this.ran.push(request.ticket.id);
    return false;
  }
  override poll(answer: Answer): boolean {
    if (this.left-- > 0) return false;
    if (this.traps > 0) throw new TmcTrap("index", "slow.ts:1:1");
    answer.beginResult(0);
    return true;
  }
  override abort(): void {
    this.aborted++;
  }
}

const broken = new TmcTrap("throw", "broken.ts:1:1", "out of order");

let platform: SimulatedPlatform;
let bus: NodeUnderTest;
let slow: Slow;

function boot(jobs = 2, options: Parameters<typeof createSimulatedPlatform>[0] = {}): void {
  platform = createSimulatedPlatform({ nodeId: "node-1", serverId: "srv", bootCounter: 5, ...options });
  usePlatform(platform);
  const node = minimalNode({
    name: "test",
    version: "1.2.3",
    sensors: [],
    models: [],
    settings: [],
    labels: ["hall-3", "pump"],
    jobs,
  });
  slow = new Slow();
  node.offer(slow);
  node.offer(
    new FunctionOperation("test.echo", (request: Request, answer: Answer) => {
      const writer = answer.beginResult(1);
      writer.writeInt(0);
      writer.writeBytes(request.bytes());
    }),
  );
  node.offer(
    new FunctionOperation("test.trap", () => {
      throw broken;
    }),
  );
  node.offer(
    new FunctionOperation("test.fail", (_request: Request, answer: Answer) => {
      answer.beginResult(3);
      answer.fail(ErrorCode.Corrupt, "checksum", "input", "digest");
    }),
  );
  node.serve();
  platform.start();
  bus = new NodeUnderTest(platform);
}

const one = (n: number): Map<number, unknown> => new Map([[0, n]]);

function counters(): Map<number, unknown> {
  return bus.ask({ operation: "node.monitor", id: 900000 + platform.nowMs }).result?.get(4) as Map<
    number,
    unknown
  >;
}

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
});

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
      .set(14, { any: ["thing"] })
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
