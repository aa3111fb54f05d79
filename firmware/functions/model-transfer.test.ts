/** The transfer of a model to a minimal node: wishes, repetitions, ends; whatever comes on topic `c`. */
import { beforeEach, describe, expect, it } from "vitest";
import { errorName } from "../../test/support/firmware-node.js";
import { artifact, largePackage, pieceOf, referenceTo } from "../../test/support/model-artifact.js";
import {
  ask,
  boot,
  births,
  bus,
  content,
  deploy,
  file,
  give,
  infer,
  modelsOf,
  newer,
  platform,
  serve,
  slots,
  startNode,
  topic,
  wishes,
} from "../../test/support/fixtures/slot-model-node.js";

beforeEach(() => startNode());

/** Asked for again, it goes on behind the page that was kept, to its end. */
function expectToGoOn(large: Uint8Array): void {
  ask(referenceTo(large));
  give(pieceOf(large, 0, 288));
  platform.advance(10);
  expect(wishes().at(-1)).toMatchObject({ offset: 192 + 4096 });
  platform.advance(2100);
  expect(serve(large)?.error).toBeUndefined();
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
    expectToGoOn(large);
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
    expectToGoOn(large);
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
