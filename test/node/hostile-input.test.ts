/**
 * The compiled default node against input that no honest server sends, under AddressSanitizer and UBSan: whatever
 * arrives, every message is accounted for, every identified request has exactly one terminal answer, every answer is
 * deterministic CBOR of the schema, and the node lives on.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeOutcome, type Exchange, type Order } from "../../host/bus/bus-client.js";
import { encodeCbor, encodeRequest, type Answer, type Request } from "../../host/bus/protocol.js";
import { elementTypes } from "../../host/bus/protocol-keys.js";
import { Random } from "../../models/vibration/random.js";
import { findMosquitto } from "../support/mosquitto.js";
import type { NodeProcess } from "../support/node-process.js";
import { violation } from "./deterministic-cbor.js";
import { anything, damage, emptyPromises } from "./hostile-payloads.js";
import { Bench, serverId } from "./minimal-node.js";
import { imbalance, sendAll, type Tally } from "./tally.js";

const reason = findMosquitto() === undefined ? " (skipped: Mosquitto is not installed)" : "";

describe.skipIf(reason !== "")(`minimal node, hostile input${reason}`, () => {
  let bench: Bench;
  let node: NodeProcess;
  /** Numbers of requests that the bus client does not wait for: far above its own. */
  let number = 3_000_000_000;

  beforeAll(async () => {
    bench = await Bench.start();
    bench.client.onPayload = (topic, payload) => {
      const wrong = violation(payload);
      if (wrong !== undefined) {
        bench.client.violations.push({ topic, reason: wrong, payload });
      }
    };
  });
  afterAll(async () => {
    await bench.stop();
  });
  beforeEach(async () => {
    node = await bench.node({ args: ["--sensor", "accelerometer=generator:vibration-bearing"] });
  });
  afterEach(async () => {
    // Alive, and sane.
    expect((await bench.ask(node, "node.monitor")).active).toBe(0);
    expect(await bench.stopNodes()).toEqual([]);
    expect(bench.client.violations.splice(0)).toEqual([]);
  });

  function request(order: Order): Request {
    return { ...order, id: number++, boot: 77, sender: serverId };
  }

  const orders: readonly Order[] = [
    { operation: "node.monitor" },
    {
      operation: "node.describe",
      selector: { name: "x", task: "y", labels: [] },
      deadlineMs: 5000,
      priority: 3,
    },
    { operation: "node.configure", arguments: { settings: new Map([["collect.rate", 100]]) } },
    { operation: "data.collect", arguments: { sensor: "accelerometer", frames: 3, rate: 1000, mode: 0 } },
    {
      operation: "model.infer",
      input: new Uint8Array(384),
      inputDescriptor: {
        elementType: elementTypes.i8,
        shape: [128, 3],
        scale: 0.03125,
        zeroPoint: 0,
        unit: "g",
      },
      acceptedOutput: { elementType: elementTypes.f32, shape: [3] },
    },
    { operation: "model.infer", input: "sensor:accelerometer", selector: { name: "vibration" } },
  ];

  /** Each with an identity of its own, so that none is a repetition. */
  const fresh = (count: number, make: (index: number) => Uint8Array): Uint8Array[] =>
    Array.from({ length: count }, (_, index) => make(index));

  async function survive(payloads: readonly Uint8Array[], qos: 0 | 1 = 1): Promise<Tally> {
    const tally = await sendAll(bench, node, payloads, qos);
    expect(imbalance(tally)).toEqual([]);
    return tally;
  }

  it("drops and counts random bytes", async () => {
    const random = new Random(1);
    const payloads = fresh(2000, () =>
      Uint8Array.from({ length: random.uint32() % 1100 }, () => random.uint32()),
    );
    const tally = await survive(payloads);
    expect(tally.malformed + tally.tooLarge).toBeGreaterThan(1990);
  });

  it.each(orders.map((order, index) => [order.operation, index] as const))(
    "survives every truncation of %s (%i)",
    async (_, index) => {
      const order = orders[index] ?? { operation: "" };
      const whole = encodeRequest(request(order)).length;
      const tally = await survive(
        fresh(whole, (length) => encodeRequest(request(order)).subarray(0, length)),
      );
      expect(tally.malformed).toBeGreaterThan(10);
      expect(tally.answered).toBeGreaterThan(whole - 60); // identified, therefore answered
      expect(tally.terminal.size).toBe(tally.answered);
    },
  );

  it("survives flipped bits and exchanged bytes", async () => {
    const random = new Random(2);
    const payloads = fresh(3000, (index) =>
      damage(encodeRequest(request(orders[index % orders.length] ?? { operation: "" })), index, random),
    );
    await survive(payloads);
  });

  it("survives CBOR that is valid and means nothing", async () => {
    const identity: [number, unknown][] = [
      [0, 1],
      [2, 78],
      [3, serverId],
    ];
    const random = new Random(3);
    const payloads = fresh(1500, (index) => {
      const entries: [number, unknown][] = [...identity, [1, index]];
      const name = orders[index % orders.length]?.operation;
      entries.push([4, index % 5 === 0 ? anything(random) : name]);
      for (let key = 5; key < 16; key++) {
        if (random.uint32() % 2 === 0) {
          entries.push([key, anything(random)]);
        }
      }
      return encodeCbor(new Map(entries));
    });
    const tally = await survive(payloads);
    expect(tally.received).toBeGreaterThan(1000);
  });

  it("survives lengths that promise more than there is, and nesting without end", async () => {
    const tally = await survive(emptyPromises());
    expect(tally.sent).toBe(15);
  });

  it("answers or counts what is too large, by whom it is found to be so", async () => {
    const large = (size: number): Uint8Array =>
      encodeRequest(request({ operation: "model.infer", input: new Uint8Array(size) }));
    const tally = await survive([
      large(1000),
      large(1100),
      large(3000),
      large(5000),
      large(100_000),
      new Uint8Array(2000),
    ]);
    expect(tally.dropped).toBe(2); // above the limit of the port
    expect(tally.tooLarge).toBe(1); // nobody to answer to
    const codes = lastAnswers(3).map((answer) => answer.error?.code);
    expect(codes).toEqual([6, 6, 6]);
  });

  it("refuses unknown operations and versions", async () => {
    for (const operation of ["node.explode", "", "x".repeat(32), "node.describe ", "data"]) {
      const { accepted, done } = await bench.exchange(node, operation);
      expect(accepted).toBeUndefined();
      expect(describeOutcome(done)).toMatch(
        operation === "" ? /unknown-operation|bad-request/ : /^unknown-operation/,
      );
    }
    const payload = encodeCbor(
      new Map<number, unknown>([
        [0, 2],
        [1, 5],
        [2, 79],
        [3, serverId],
        [4, "node.describe"],
      ]),
    );
    await survive([payload]);
    expect(lastAnswers(1)[0]?.error?.code).toBe(11);
  });

  it("refuses requests that are for others", async () => {
    for (const selector of [{ node: "somebody-else" }, { labels: ["hall-3"] }]) {
      const { done } = await bench.exchange(node, "node.monitor", { selector });
      expect(describeOutcome(done)).toMatch(/^no-capable-node in selector/);
    }
    const { done } = await bench.exchange(node, "node.monitor", { selector: { node: node.id, labels: [] } });
    expect(done.error).toBeUndefined();
  });

  const good = { elementType: elementTypes.i8, shape: [128, 3], scale: 0.03125, zeroPoint: 0 };
  const input = new Uint8Array(384);

  it.each<[string, Omit<Order, "operation">, RegExp]>([
    ["no input", {}, /^bad-request in input/],
    [
      "another shape",
      { input, inputDescriptor: { ...good, shape: [127, 3] } },
      /^descriptor-mismatch in input\.shape/,
    ],
    [
      "another rank",
      { input, inputDescriptor: { ...good, shape: [128, 3, 2] } },
      /^descriptor-mismatch in input\.shape/,
    ],
    [
      "another type",
      { input, inputDescriptor: { ...good, elementType: elementTypes.u8 } },
      /^descriptor-mismatch in input\./,
    ],
    [
      "another format",
      { input, inputDescriptor: { ...good, format: 3 } },
      /^descriptor-mismatch in input\.format/,
    ],
    [
      "another scale",
      { input, inputDescriptor: { ...good, scale: 0.5 } },
      /^descriptor-mismatch in input\.scale/,
    ],
    [
      "another zero point",
      { input, inputDescriptor: { ...good, zeroPoint: 3 } },
      /^descriptor-mismatch in input\./,
    ],
    [
      "another unit",
      { input, inputDescriptor: { ...good, unit: "m/s2" } },
      /^descriptor-mismatch in input\.unit/,
    ],
    [
      "another rate",
      { input, inputDescriptor: { ...good, rate: 800 } },
      /^descriptor-mismatch in input\.rate/,
    ],
    [
      "too few bytes",
      { input: new Uint8Array(383), inputDescriptor: good },
      /^descriptor-mismatch in input\.bytes/,
    ],
    [
      "too many bytes",
      { input: new Uint8Array(385), inputDescriptor: good },
      /^descriptor-mismatch in input\.bytes/,
    ],
    ["no descriptor", { input }, /^(descriptor-mismatch in input|done)/],
    [
      "a wish it cannot fulfil",
      { input, inputDescriptor: good, acceptedOutput: { shape: [4] } },
      /^descriptor-mismatch in accept\.shape/,
    ],
    [
      "an unknown model",
      { input, inputDescriptor: good, selector: { name: "nope" } },
      /^not-found in selector/,
    ],
    [
      "an unknown version",
      { input, inputDescriptor: good, selector: { name: "vibration@9.9.9" } },
      /^not-found in selector/,
    ],
    ["an unknown sensor", { input: "sensor:nose" }, /^not-found in input/],
    ["an unknown reference", { input: "http://nowhere" }, /^not-found in input/],
    [
      "an impossible rate",
      { input: "sensor:accelerometer", arguments: { rate: 1e9 } },
      /^bad-request in arguments\.rate/,
    ],
  ])("model.infer with %s", async (_, order, outcome) => {
    expect(describeOutcome((await bench.exchange(node, "model.infer", order)).done)).toMatch(outcome);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["no sensor", {}, /^(not-found|bad-request) in arguments/],
    ["an unknown sensor", { sensor: "nose" }, /^not-found in arguments\.sensor/],
    ["a sensor that is a number", { sensor: 5 }, /^bad-request in arguments/],
    ["no frames", { sensor: "accelerometer", frames: 0 }, /^bad-request in arguments\.count/],
    [
      "too many frames",
      { sensor: "accelerometer", frames: 100_001, mode: 1 },
      /^bad-request in arguments\.count/,
    ],
    ["2^32 frames", { sensor: "accelerometer", frames: 4294967296 }, /^bad-request in arguments/],
    ["more than fits", { sensor: "accelerometer", frames: 73 }, /^too-large in arguments\.count/],
    ["a negative rate", { sensor: "accelerometer", rate: -1 }, /^(bad-request in arguments\.rate|done)/],
    ["an excessive rate", { sensor: "accelerometer", rate: 1e30 }, /^bad-request in arguments\.rate/],
    [
      "a rate that is no number",
      { sensor: "accelerometer", rate: Number.NaN },
      /^(bad-request in arguments\.rate|done)/,
    ],
    ["an unknown mode", { sensor: "accelerometer", mode: 2 }, /^bad-request in arguments\.mode/],
  ])("data.collect with %s", async (_, args, outcome) => {
    expect(describeOutcome((await bench.exchange(node, "data.collect", { arguments: args })).done)).toMatch(
      outcome,
    );
  });

  it("answers each of 1000 requests of a burst exactly once", async () => {
    const quick = orders.filter((order) => order.operation !== "data.collect");
    const unasked = bench.client.unmatched.length;
    const exchanges: Exchange[] = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => {
        const order = index % 10 === 0 ? orders[3] : quick[index % quick.length];
        return bench.client.request(node.id, order ?? { operation: "" }, 60_000);
      }),
    );
    const outcomes = new Map<string, number>();
    for (const { done } of exchanges) {
      const name = describeOutcome(done).split(/[ :]/)[0] ?? "";
      outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
    }
    expect([...outcomes.keys()].filter((name) => name !== "done" && name !== "busy")).toEqual([]);
    expect(outcomes.get("done")).toBeGreaterThanOrEqual(600);
    const statistics = await node.statistics();
    expect(statistics.get("queue_full")).toBe(0);
    expect(statistics.get("refused")).toBe(0);
    // No second terminal answer came for any of them.
    expect(bench.client.unmatched.slice(unasked)).toEqual([]);
  });

  it("balances the books of a burst with QoS 0 and repetitions", async () => {
    const once = fresh(500, (index) =>
      encodeRequest(request(orders[index % orders.length] ?? { operation: "" })),
    );
    const tally = await survive(
      once.flatMap((payload) => [payload, payload]),
      0,
    );
    expect(tally.duplicates).toBeGreaterThan(300); // refusals are not remembered
    expect(tally.sent).toBe(1000);
  });

  it("keeps apart senders with equal numbers, and refuses senders that are no ids", async () => {
    const send = (sender: string): Uint8Array =>
      encodeRequest({ id: 1, boot: 80, sender, operation: "node.monitor" });
    const tally = await survive([
      send("a"),
      send("b"),
      send("z".repeat(23)),
      send(""),
      send("A"),
      send("z".repeat(24)),
      send("a/b"),
    ]);
    expect(tally.answered).toBe(3);
    expect(tally.malformed).toBe(4);
    expect([...tally.terminal.keys()].sort()).toEqual(["a/80/1", "b/80/1", `${"z".repeat(23)}/80/1`]);
  });

  function lastAnswers(count: number): Answer[] {
    return bench.client.unmatched.filter((answer) => answer.stage === 2).slice(-count);
  }
});
