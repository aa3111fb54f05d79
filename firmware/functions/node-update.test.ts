/** `node.update` of a minimal node: pulls an image, restarts to try it, confirms it when it is asked again. */
import { generateKeyPairSync } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { SimulatedSlots } from "../../host/runtime/simulated-slots.js";
import { createSimulatedPlatform, type SimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { NodeUnderTest, errorName, type DecodedAnswer } from "../../test/support/firmware-node.js";
import { artifact, ownerPoint, piecesFor, readWish, referenceTo } from "../../test/support/model-artifact.js";
import { minimalNode } from "./minimal-node.js";
import { NodeUpdate } from "./node-update.js";

function image(fill: number, bytes = 9000): Uint8Array {
  const made = Buffer.alloc(bytes, fill);
  made.writeUInt32LE(0x96f3b83d, 0);
  return made;
}
const facts = { kind: "firmware", name: "board", version: "1.1.0", counter: 2 } as const;
const update = artifact(image(1), facts);

let slots: SimulatedSlots;
let platform: SimulatedPlatform;
let bus: NodeUnderTest;
let boots = 0;

function boot(): void {
  slots.cutPower();
  platform = createSimulatedPlatform({ slots: [slots], bootCounter: ++boots });
  usePlatform(platform);
  const options = { name: "t", version: "1", models: [], settings: [], labels: [], sensors: [], jobs: 2 };
  const node = minimalNode(options);
  node.offer(new NodeUpdate(node));
  node.serve();
  platform.start();
  bus = new NodeUnderTest(platform);
}

beforeEach(() => {
  boots = 0;
  slots = new SimulatedSlots(3, 65536, ownerPoint);
  boot();
});

/** Asks, and answers wishes until there is an answer, a restart, or nothing more is wished for. */
function ask(of: Uint8Array, version = "", pieces = Infinity): DecodedAnswer | undefined {
  const named = version === "" ? {} : { arguments: new Map<number, unknown>([[0, version]]) };
  bus.send({ operation: "node.update", input: referenceTo(of), deadlineMs: 60_000, ...named });
  for (let round = 0; round < 100; round++) {
    const wishes = platform.takePublished("/c").flatMap(({ payload }) => readWish(payload) ?? []);
    for (const wish of wishes) {
      for (const piece of piecesFor(of, wish)) {
        if (pieces-- > 0) platform.deliver("t1/server-1/node-1/c", piece);
      }
    }
    const done = bus.answers().find(({ stage }) => stage === 2);
    if (done !== undefined || platform.restarts > 0 || (wishes.length === 0 && round > 0)) return done;
    platform.advance(10);
  }
  throw new Error("it wishes on and on");
}

it("restarts without an answer, and the new firmware answers and stays", () => {
  expect(ask(update, "1.1.0")).toBeUndefined();
  expect(platform.restarts).toBe(1);
  boot();
  expect(ask(update, "1.1.0")?.result).toEqual(new Map([[0, "1.1.0"]]));
  expect(platform.restarts).toBe(0);
  for (let i = 0; i < 5; i++) boot();
  expect(ask(update)?.result).toEqual(new Map([[0, "1.1.0"]]));
});

it("goes on where a restart interrupted it", () => {
  expect(ask(update, "", 10)).toBeUndefined();
  expect(slots.kept()).toBeGreaterThan(4000);
  boot();
  bus.send({ operation: "node.update", input: referenceTo(update), deadlineMs: 60_000 });
  const offsets: number[] = [];
  for (let round = 0; round < 100 && platform.restarts === 0; round++) {
    for (const { payload } of platform.takePublished("/c")) {
      const wish = readWish(payload);
      if (wish === undefined) continue;
      offsets.push(wish.offset);
      for (const piece of piecesFor(update, wish)) platform.deliver("t1/server-1/node-1/c", piece);
    }
    platform.advance(10);
  }
  expect(platform.restarts).toBe(1);
  expect(offsets[0]).toBe(0);
  expect(offsets[1]).toBeGreaterThan(4000);
});

it("returns to the old firmware when nobody asks, and says that another is on trial until then", () => {
  ask(update);
  boot();
  const other = artifact(image(2), { ...facts, version: "1.2.0", counter: 3 });
  expect(errorName(ask(other))).toBe("busy");
  for (let i = 0; i < 3; i++) slots.boot();
  boot();
  expect(ask(other)).toBeUndefined();
  expect(platform.restarts).toBe(1);
});

it.each<[string, () => Uint8Array, string, string]>([
  ["no image", () => artifact(Buffer.alloc(5000, 7), facts), "", "bad-request"],
  ["another version than was asked for", () => update, "1.0.9", "bad-request"],
  ["a model", () => artifact(image(1), { ...facts, kind: "model" }), "", "bad-request"],
  ["too large a one", () => artifact(image(1, 70_000), facts), "", "no-space"],
  [
    "a stranger's",
    () => artifact(image(1), facts, generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
    "",
    "forbidden",
  ],
])("refuses %s before anything is erased", (_, made, version, error) => {
  expect(errorName(ask(made(), version))).toBe(error);
  expect(slots.kept()).toBe(0);
  expect(platform.restarts).toBe(0);
});

it("refuses an older one, and content that is not what was signed", () => {
  ask(update);
  boot();
  ask(update);
  expect(errorName(ask(artifact(image(3), { ...facts, counter: 1 })))).toBe("forbidden");
  const damaged = Buffer.from(artifact(image(3), { ...facts, counter: 3 }));
  damaged.writeUInt8(9, 5000);
  expect(errorName(ask(damaged))).toBe("corrupt");
  expect(platform.restarts).toBe(0);
});
