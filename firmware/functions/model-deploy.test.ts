/** Models over the bus on a minimal node: taken, tested, kept, taken back. How they come: model-transfer.test.ts. */
import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { loadGraph } from "../../compiler/model/importers/load-model.js";
import { digestOf } from "../../compiler/model/package/check.js";
import { At, DIGEST_BYTES } from "../../compiler/model/package/format.js";
import { errorName } from "../../test/support/firmware-node.js";
import {
  artifact,
  goldenInput,
  owner,
  referenceTo,
  vibrationDigest,
  vibrationFile,
  vibrationLabels,
  vibrationPackage,
} from "../../test/support/model-artifact.js";
import {
  ask,
  boot,
  births,
  bus,
  content,
  deploy,
  file,
  infer,
  modelsOf,
  newer,
  platform,
  serve,
  slots,
  startNode,
  wishes,
} from "../../test/support/fixtures/slot-model-node.js";

beforeEach(() => startNode());

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
    startNode("no key");
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

it("a node hears only its own topics", () => {
  platform.subscriptions.add("t1/server-1/node-2/x");
  platform.deliver("t1/server-1/node-2/x", Buffer.from("a0", "hex"));
  expect(bus.ask({ operation: "node.monitor" }).result?.get(4)).toEqual(
    expect.not.objectContaining({ 2: 1 }),
  );
  expect(owner.privateKey.type).toBe("private");
});
