/** Models over the bus on a minimal node: taken, tested, kept, taken back; whatever comes on topic `c`. */
import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { decodeBirth } from "../../host/bus/protocol.js";
import { SimulatedSlots } from "../../host/runtime/simulated-slots.js";
import { createSimulatedPlatform, type SimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { loadGraph } from "../../compiler/model/importers/load-model.js";
import { digestOf } from "../../compiler/model/package/check.js";
import { At, DIGEST_BYTES } from "../../compiler/model/package/format.js";
import { NodeUnderTest, errorName, type DecodedAnswer } from "../../test/support/firmware-node.js";
import {
  artifact,
  goldenInput,
  largePackage,
  owner,
  ownerPoint,
  pieceOf,
  piecesFor,
  readWish,
  referenceTo,
  vibrationDigest,
  vibrationFile,
  vibrationLabels,
  vibrationPackage,
  type Wish,
} from "../../test/support/model-artifact.js";
import { Sensor } from "../core/sensor.js";
import { SlotModel } from "../core/slot-model.js";
import { minimalNode } from "./minimal-node.js";
import { ModelDeploy } from "./model-deploy.js";
import { ModelInfer } from "./model-infer.js";
import { ModelUndeploy } from "./model-undeploy.js";

const content = vibrationPackage();
const file = artifact(content);
const newer = artifact(vibrationPackage({ name: "other" }), { version: "3.0.0", counter: 2 });

let slots: SimulatedSlots;
let platform: SimulatedPlatform;
let bus: NodeUnderTest;
let boots = 0;

/** The node starts, with what its slots hold. */
function boot(arenaBytes = 16384, inputSize = 384): void {
  slots.cutPower();
  const sensors = { accelerometer: { channels: 3, frame: () => [0.5, -0.5, 1], maxRateMilliHz: 6_664_000 } };
  platform = createSimulatedPlatform({ slots: [slots], sensors, bootCounter: ++boots });
  usePlatform(platform);
  const accelerometer = new Sensor("accelerometer", {
    ...{ unit: "g", channels: ["x", "y", "z"], rate: 1600, maxRate: 6664 },
  });
  const model = new SlotModel({ arenaBytes, inputSize, driftFeatures: 3 });
  const options = { name: "t", version: "1", models: [model], settings: [], labels: ["l"], jobs: 2 };
  const node = minimalNode({ ...options, sensors: [accelerometer] });
  node.offer(new ModelInfer([model], [accelerometer]));
  node.offer(new ModelDeploy(node, model));
  node.offer(new ModelUndeploy(node, model));
  node.serve();
  platform.start();
  bus = new NodeUnderTest(platform);
}

beforeEach(() => {
  boots = 0;
  slots = new SimulatedSlots(1, 65536, ownerPoint);
  boot();
});

const topic = (kind: string): string => `t1/server-1/node-1/${kind}`;
const wishes = (): Wish[] => platform.takePublished("/c").flatMap(({ payload }) => readWish(payload) ?? []);
const give = (payload: Uint8Array): boolean => platform.deliver(topic("c"), payload);

function ask(input: string | Uint8Array, model = "", deadlineMs = 60_000): void {
  const named = model === "" ? {} : { arguments: new Map<number, unknown>([[0, model]]) };
  bus.send({ operation: "model.deploy", input, deadlineMs, ...named });
}

/** Answers wishes until the node makes none, at most `pieces` of them; gives the answer when there is one. */
function serve(of: Uint8Array, pieces = Infinity): DecodedAnswer | undefined {
  for (let round = 0; round < 200; round++) {
    const made = wishes();
    for (const wish of made) {
      for (const piece of piecesFor(of, wish)) if (pieces-- > 0) give(piece);
    }
    const done = bus.answers().find(({ stage }) => stage === 2);
    if (done !== undefined || (made.length === 0 && round > 0)) return done;
    platform.advance(10);
  }
  throw new Error("it wishes on and on");
}

function deploy(of: Uint8Array, model = ""): DecodedAnswer {
  ask(referenceTo(of), model);
  const answer = serve(of);
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

const births = () => platform.takePublished("/b").map(({ payload }) => decodeBirth(payload));
const modelsOf = (birth: ReturnType<typeof decodeBirth> | undefined): string[] =>
  (birth?.models ?? []).map(({ name, version }) => `${name}@${version}`);

function infer(input: Int8Array | string = goldenInput, selector?: string): DecodedAnswer {
  const bytes = typeof input === "string" ? input : Buffer.from(input.buffer);
  const descriptor = new Map<number, unknown>([
    [0, 0],
    [1, [128, 3]],
  ]);
  const about = typeof input === "string" ? {} : { descriptor };
  const named = selector === undefined ? {} : { selector: new Map<number, unknown>([[0, selector]]) };
  return bus.ask({ operation: "model.infer", input: bytes, ...about, ...named }, 1000);
}

describe("a model that comes over the bus", () => {
  it("runs, is told in the birth record, and computes what the compiled-in model does", () => {
    expect(modelsOf(births()[0])).toEqual([]);
    expect(errorName(infer())).toBe("not-found");
    expect(deploy(file).result).toEqual(new Map([[0, ["node-1"]]]));
    platform.advance(20);
    const [birth, ...others] = births();
    expect(others).toEqual([]);
    expect(birth?.models).toMatchObject([
      {
        ...{ name: "vibration", version: "2.0.0", task: "classification" },
        inputs: [{ shape: [1, 128, 1, 3], unit: "g", rate: 1600, scale: 0.03125 }],
        outputs: [{ labels: vibrationLabels }],
      },
    ]);
    expect(Buffer.from(birth?.models?.[0]?.digest ?? []).toString("hex")).toBe(vibrationDigest.slice(0, 16));
    const graph = loadGraph(vibrationFile);
    for (const shift of [0, 11, 90]) {
      const input = goldenInput.map((q) => ((q + shift) << 24) >> 24);
      const [expected] = runOnNode(graph, [[input]]);
      const answer = infer(input, "vibration@2.0.0");
      expect(Int8Array.from(answer.output ?? [])).toEqual(expected?.outputs[0]);
      expect(answer.result?.get(3)).toBe("vibration@2.0.0");
      expect(vibrationLabels).toContain(answer.result?.get(0));
    }
  });

  it("takes fresh windows of a sensor, and its drift is watched", () => {
    deploy(file);
    expect(infer("sensor:accelerometer").error).toBeUndefined();
    const drift = bus.ask({ operation: "node.monitor" }).result?.get(11) as Map<number, unknown>[];
    expect(drift[0]?.get(0)).toBe("vibration@2.0.0");
    expect(drift[0]?.get(2)).toBe(128);
    expect((drift[0]?.get(3) as unknown[][]).map((feature) => feature[2])).toEqual([0.5, -0.5, 1]);
  });

  it("stays over restarts, and gives way to a newer one", () => {
    deploy(file);
    boot();
    expect(modelsOf(births()[0])).toEqual(["vibration@2.0.0"]);
    expect(infer().error).toBeUndefined();
    expect(deploy(newer, "vibration@3.0.0").error).toBeUndefined();
    expect(infer().result?.get(3)).toBe("vibration@3.0.0");
    expect(errorName(deploy(file))).toBe("forbidden");
    boot();
    expect(modelsOf(births()[0])).toEqual(["vibration@3.0.0"]);
  });

  it("that is there is done at once, without its content", () => {
    deploy(file);
    ask(referenceTo(file));
    expect(serve(file, 1)?.error).toBeUndefined();
  });

  it("is removed, and its counter counts on", () => {
    deploy(newer);
    const remove = (name: string) =>
      bus.ask({ operation: "model.undeploy", arguments: new Map<number, unknown>([[0, name]]) }, 50);
    expect(errorName(remove("vibration@1.0.0"))).toBe("not-found");
    births();
    expect(remove("vibration").result).toEqual(new Map([[0, ["node-1"]]]));
    platform.advance(20);
    expect(births().map(modelsOf)).toEqual([[]]);
    expect(errorName(infer())).toBe("not-found");
    boot();
    expect(modelsOf(births()[0])).toEqual([]);
    expect(errorName(deploy(file))).toBe("forbidden");
    expect(deploy(newer).error).toBeUndefined();
  });

  it("comes inside the request when it fits there", () => {
    const small = artifact(content.subarray(0, 100));
    ask(small);
    expect(errorName(bus.answers().at(-1)!)).toBe("descriptor-mismatch"); // not a whole package
    ask(small.subarray(0, 200));
    expect(errorName(bus.answers().at(-1)!)).toBe("bad-request");
  });
});

describe("what is refused, the old version stays", () => {
  beforeEach(() => {
    deploy(file);
  });
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const at2 = { version: "2.1.0", counter: 3 };
  const wrongTest = content.slice();
  wrongTest[new DataView(wrongTest.buffer).getUint32(4 * At.golden, true) + goldenInput.length]! ^= 1;
  wrongTest.set(digestOf(wrongTest), wrongTest.length - DIGEST_BYTES);
  const withHeader = (word: number, value: number): Uint8Array => {
    const changed = content.slice();
    new DataView(changed.buffer).setUint32(4 * word, value, true);
    return changed;
  };
  const damaged = Buffer.from(artifact(content, at2));
  damaged[2000]! ^= 1;

  it.each([
    ["signed by a stranger", artifact(content, at2, other), "forbidden"],
    ["older", artifact(content, { version: "1.0.0", counter: 0 }), "forbidden"],
    ["a function", artifact(content, { ...at2, kind: "function" }), "bad-request"],
    ["no package", artifact(Buffer.alloc(3000, 7), at2), "bad-request"],
    ["changed on the way", damaged, "corrupt"],
    ["wrong in its self-test", artifact(wrongTest, at2), "corrupt"],
    ["larger than the slot", artifact(Buffer.concat([content, Buffer.alloc(65536)]), at2), "no-space"],
    ["in need of more RAM", artifact(withHeader(At.arena, 1 << 20), at2), "no-space"],
    ["too much work", artifact(withHeader(At.work, 2 ** 31), at2), "descriptor-mismatch"],
    ["in need of another kernel", artifact(withHeader(At.kernels, 2 ** 31), at2), "descriptor-mismatch"],
    ["for another kernel set", artifact(withHeader(At.kernelSet, 9), at2), "descriptor-mismatch"],
    ["impossible in a step", artifact(withHeader(At.programWords, 1), at2), "descriptor-mismatch"],
    ["too long in its labels", artifact(vibrationPackage({ about: longLabels() }), at2), "too-large"],
  ])("%s", (_, bad, code) => {
    births();
    expect(errorName(deploy(bad))).toBe(code);
    expect(infer().result?.get(3)).toBe("vibration@2.0.0");
    boot();
    expect(modelsOf(births()[0])).toEqual(["vibration@2.0.0"]);
    expect(deploy(artifact(content, { version: "4.0.0", counter: 4 })).error).toBeUndefined();
  });

  it("under another name than was asked for", () => {
    expect(errorName(deploy(newer, "vibration@3.0.1"))).toBe("bad-request");
    expect(errorName(deploy(newer, "vibratio"))).toBe("bad-request");
    expect(deploy(newer, "vibration").error).toBeUndefined();
  });

  it("by a node without a key, or whose flash fails", () => {
    slots.failing = true;
    expect(errorName(deploy(newer))).toBe("no-space");
    slots = new SimulatedSlots(1, 65536, undefined);
    boot();
    expect(errorName(deploy(file))).toBe("forbidden");
  });

  it.each(["", "sensor:accelerometer", "chunk:", `chunk:${"0".repeat(63)}`, `chunk:${"G".repeat(64)}`])(
    "a reference %j",
    (reference) => {
      ask(reference);
      expect(bus.answers().map(errorName).at(-1)).toBe("bad-request");
      expect(wishes()).toEqual([]);
    },
  );
});

function longLabels() {
  return {
    task: "t",
    labels: ["a".repeat(64), "b".repeat(64), "c".repeat(64)],
    unit: "g",
    rate: 0,
    digest: "",
  };
}

describe("a transfer", () => {
  it("wishes for a few pieces at a time, of the head first", () => {
    ask(referenceTo(file));
    expect(wishes()).toMatchObject([{ offset: 0, wanted: 288, from: "node-1" }]);
    give(pieceOf(file, 0, 288));
    platform.advance(10);
    expect(wishes()).toMatchObject([{ offset: 192, wanted: 4 * 896 }]);
  });

  it("asks again when nothing comes, ever more seldom, until the deadline", () => {
    ask(referenceTo(file), "", 30_000);
    const times: number[] = [];
    for (let ms = 0; ms < 31_000; ms += 100) {
      platform.advance(100);
      for (const wish of platform.takePublished("/c")) times.push(wish.atMs);
    }
    expect(times.map((at) => Math.round(at / 1000))).toEqual([0, 2, 6, 14, 22]);
    expect(errorName(bus.answers().at(-1)!)).toBe("deadline");
    expect(deploy(file).error).toBeUndefined();
  });

  it("keeps out other updates, but not its own repetition, until it ends", () => {
    ask(referenceTo(file), "", 5000);
    bus.answers();
    expect(errorName(bus.ask({ operation: "model.deploy", input: referenceTo(newer) }))).toBe("busy");
    expect(bus.ask({ operation: "node.monitor" }).error).toBeUndefined();
    platform.advance(5000);
    expect(errorName(bus.answers().at(-1)!)).toBe("deadline");
    expect(deploy(newer).error).toBeUndefined();
  });

  it.each([
    ["cancelled", 15],
    ["not-found", 5],
  ])("ends when the server offers it no longer (%s), and keeps what came", (name, code) => {
    const large = artifact(largePackage(), { name: "large", counter: 9 });
    const end = (changes: Record<number, unknown> = {}): void =>
      void give(pieceOf(large, 0, 0, { 3: 0, 4: undefined, 7: code, ...changes }));
    ask(referenceTo(large));
    serve(large, 6);
    bus.answers();
    // Of another file, the node's own, one that is no end, a piece as well, cut off.
    end({ 1: Buffer.alloc(32) });
    end({ 5: "node-1" });
    end({ 7: 7 });
    end({ 7: undefined });
    end({ 7: -1 });
    end({ 4: Buffer.alloc(9) });
    give(Buffer.from(pieceOf(large, 0, 0, { 3: 0, 4: undefined, 7: code })).subarray(0, 50));
    platform.advance(20);
    expect(bus.answers()).toEqual([]);
    end();
    platform.advance(20);
    expect(bus.answers().map(errorName)).toEqual([name]);
    end(); // Nobody asks any more.
    wishes();
    platform.advance(20_000);
    expect(wishes()).toEqual([]);
    ask(referenceTo(large));
    give(pieceOf(large, 0, 288));
    platform.advance(10);
    expect(wishes().at(-1)).toMatchObject({ offset: 192 + 4096 });
    platform.advance(2100);
    expect(serve(large)?.error).toBeUndefined();
  });

  it("that waits for its head ends too, and another takes its place at once", () => {
    ask(referenceTo(file));
    give(pieceOf(file, 0, 0, { 3: 0, 4: undefined, 7: 15 }));
    expect(errorName(bus.ask({ operation: "model.deploy", input: referenceTo(newer) }))).toBe("busy");
    platform.advance(10);
    expect(bus.answers().map(errorName)).toEqual(["cancelled"]);
    wishes();
    expect(deploy(newer).error).toBeUndefined();
  });

  it("goes on where it stopped: lost pieces, lost connection, lost power", () => {
    const large = artifact(largePackage(), { name: "large", counter: 9 });
    ask(referenceTo(large));
    expect(serve(large, 6)).toBeUndefined(); // the head and five pieces, of which a page is kept
    platform.advance(2100);
    expect(wishes()).toMatchObject([{ offset: 192 + 4 * 896 + 900 }]);
    platform.disconnect();
    platform.connect();
    expect(wishes()).toMatchObject([{ offset: 192 + 4 * 896 + 900 }]);
    boot();
    ask(referenceTo(large));
    give(pieceOf(large, 0, 288));
    platform.advance(10);
    expect(wishes().at(-1)).toMatchObject({ offset: 192 + 4096 });
    platform.advance(2100);
    expect(serve(large)?.error).toBeUndefined();
  });

  it("hears nothing when nobody asked, and never what is not the next piece", () => {
    expect(give(pieceOf(file, 0, 288))).toBe(true);
    expect(platform.subscriptions).toContain(topic("c"));
    ask(referenceTo(file));
    const hostile: Uint8Array[] = [
      pieceOf(newer, 0, 288),
      pieceOf(file, 1, 287),
      pieceOf(file, 0, 289),
      pieceOf(file, 0, 0),
      pieceOf(file, 0, 288, { 0: 2 }),
      pieceOf(file, 0, 288, { 1: Buffer.alloc(31) }),
      pieceOf(file, 0, 288, { 1: "text" }),
      pieceOf(file, 0, 288, { 2: -1 }),
      pieceOf(file, 0, 288, { 2: 2 ** 32 }),
      pieceOf(file, 0, 288, { 3: 100 }),
      pieceOf(file, 0, 288, { 3: undefined }),
      pieceOf(file, 0, 288, { 4: "x".repeat(288) }),
      pieceOf(file, 0, 288, { 4: undefined, 6: 288 }),
      pieceOf(file, 0, 288, { 5: "node-1" }),
      pieceOf(file, 0, 288, { 9: Buffer.alloc(2000) }),
      Buffer.alloc(0),
      Buffer.from(pieceOf(file, 0, 288)).subarray(0, 300),
      Buffer.concat([pieceOf(file, 0, 288), Buffer.of(0)]),
    ];
    wishes();
    for (const message of hostile) give(message);
    platform.advance(50);
    expect(wishes()).toEqual([]);
    give(pieceOf(file, 0, 288, { 9: "unknown keys are skipped" }));
    platform.advance(10);
    expect(wishes()).toMatchObject([{ offset: 192 }]);
    give(pieceOf(file, 192, 800, { 3: file.length + 1 }));
    give(pieceOf(newer, 192, 800));
    give(pieceOf(file, 192, 800));
    give(pieceOf(file, 192, 800));
    platform.advance(2100);
    expect(wishes()).toMatchObject([{ offset: 992 }]);
    expect(serve(file)).toBeUndefined();
    platform.advance(2100);
    expect(serve(file)?.error).toBeUndefined();
    expect(platform.traps).toEqual([]);
  });

  it("of a version that hangs in its self-test ends with the old one after three starts", () => {
    deploy(file);
    const trial = artifact(content, { version: "2.1.0", counter: 3 });
    slots.begin(trial.subarray(0, 192));
    slots.write(0, trial.subarray(192));
    slots.finish();
    slots.try();
    for (let i = 0; i < 3; i++) {
      slots.cutPower();
      expect(slots.boot()).toBe(2);
    }
    boot();
    expect(modelsOf(births()[0])).toEqual(["vibration@2.0.0"]);
    // The request comes again: it is told once, after the head; who asks then once more wants it tried once more.
    ask(referenceTo(trial));
    give(pieceOf(trial, 0, 288));
    platform.advance(10);
    const told = bus.answers().at(-1)!;
    expect([errorName(told), told.error?.get(1)]).toEqual(["corrupt", "it was tried and did not stay"]);
    expect(wishes()).toHaveLength(1);
    expect(deploy(trial).error).toBeUndefined();
    expect(infer().result?.get(3)).toBe("vibration@2.1.0");
  });

  it("that was on trial when the power failed is tested at the start, and stays", () => {
    deploy(file);
    slots.begin(newer.subarray(0, 192));
    slots.write(0, newer.subarray(192));
    slots.finish();
    slots.try();
    boot();
    expect(modelsOf(births()[0])).toEqual(["vibration@3.0.0"]);
    boot();
    expect(modelsOf(births()[0])).toEqual(["vibration@3.0.0"]);
  });
});

it("a node hears only its own topics", () => {
  platform.subscriptions.add("t1/server-1/node-2/x");
  platform.deliver("t1/server-1/node-2/x", Buffer.from("a0", "hex"));
  expect(bus.ask({ operation: "node.monitor" }).result?.get(4)).toEqual(
    expect.not.objectContaining({ 2: 1 }),
  );
  expect(owner.privateKey.type).toBe("private");
});
