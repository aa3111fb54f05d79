/** A function in a minimal node's slot: taken in, told, called, replaced, removed, and given back when it is bad. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import type { SimulatedMachine } from "../../host/runtime/simulated-functions.js";
import { createSimulatedPlatform, type SimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { SimulatedSlots } from "../../host/runtime/simulated-slots.js";
import { encodeImage, readImage, type FunctionImage } from "../../compiler/function/image.js";
import type { FunctionData } from "../../compiler/function/manifest.js";
import { signHeader } from "../../compiler/update/artifact.js";
import { publicPoint } from "../../compiler/update/owner-keys.js";
import {
  NodeUnderTest,
  decodeCbor,
  encodeCbor,
  errorAt,
  type DecodedAnswer,
} from "../../test/support/firmware-node.js";
import { F32Values, NodeFunction, SlotFunction } from "../core/index.js";
import { FunctionDeploy } from "./function-deploy.js";
import { FunctionInvoke } from "./function-invoke.js";
import { FunctionRemove } from "./function-remove.js";
import { minimalNode } from "./minimal-node.js";

const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });
const map = (...pairs: [number, unknown][]): Map<number, unknown> => new Map(pairs);
const shorts: FunctionData = { elementType: 2, shape: [-1, 2], bytes: 32 };
const sum: FunctionData = { elementType: 2, shape: [-1], unit: "V", bytes: 16 };

/** What the machine below takes for code: byte 0 is what it adds to each sum. */
function image(version: string, adds: number, more: Partial<FunctionImage> = {}): Uint8Array {
  return encodeImage({
    ...{ code: Uint8Array.of(adds, 0, 0, 0, 0, 0, 0, 0), entry: 0, data: new Uint8Array(0), ram: 64 },
    ...{
      relocations: [],
      imports: [],
      machine: "cortex-m4f",
      name: "sums",
      version,
      input: shorts,
      output: sum,
    },
    ...{ stack: 100, timeUs: undefined },
    golden: { input: Uint8Array.of(1, 0, 2, 0), output: Uint8Array.of(3 + adds, 0) },
    ...more,
  });
}

const signed = (content: Uint8Array, counter = 1, key: KeyObject = owner.privateKey): Uint8Array =>
  Buffer.concat([
    signHeader({ kind: "function", name: "sums", version: "1", counter }, content, key),
    content,
  ]);

/** Stands for the loader and a processor: each row's sum and what the code adds; a sum of 666 traps. */
const machine: SimulatedMachine = {
  plan: (header) => (header[12] === 1 ? 0 : header[0] === 0x54 ? 4 : 1),
  check: (content) => (content.length > 900 ? 12 : 0),
  selfTest(content) {
    const { golden } = readImage(content);
    const result = machine.run(content, golden.input);
    return result instanceof Uint8Array && Buffer.compare(result, golden.output) === 0;
  },
  run(content, input) {
    const rows = new Int16Array(input.slice().buffer);
    const out = Int16Array.from({ length: rows.length / 2 }, (_, i) => {
      return (rows[2 * i] ?? 0) + (rows[2 * i + 1] ?? 0) + (content[160] ?? 0);
    });
    if (out[0] === 666) return { kind: 6, site: 17, text: "number" };
    return new Uint8Array(out[0] === 667 ? out.buffer.slice(0, 1) : out.buffer);
  },
};

let platform: SimulatedPlatform;
let bus: NodeUnderTest;
let slots: SimulatedSlots;

function boot(more: { readonly machine?: SimulatedMachine } = { machine }): void {
  platform = createSimulatedPlatform({ slots: [slots], ...more });
  usePlatform(platform);
  const twice = new NodeFunction({
    name: "twice",
    version: "1",
    input: new F32Values([1]),
    output: new F32Values([1]),
    run: (input: Float32Array, output: Float32Array) => {
      output[0] = 2 * (input[0] ?? 0);
      return 1;
    },
  });
  const slot = new SlotFunction({ ramBytes: 1000, outputBytes: 64 });
  const functions = [twice, slot];
  const node = minimalNode({
    ...{ name: "test", version: "1", sensors: [], models: [], functions, settings: [], labels: [], jobs: 2 },
    message: 2048,
  });
  node.offer(new FunctionInvoke(functions));
  node.offer(new FunctionDeploy(node, slot));
  node.offer(new FunctionRemove(node, slot));
  node.serve();
  platform.start();
  bus = new NodeUnderTest(platform);
}

beforeEach(() => {
  slots = new SimulatedSlots(2, 61440, publicPoint(owner.publicKey));
  boot();
});

const deploy = (file: Uint8Array, digest?: string): DecodedAnswer =>
  bus.ask(
    {
      operation: "function.deploy",
      input: file,
      ...(digest === undefined ? {} : { arguments: encodeable(digest) }),
    },
    100,
  );
const encodeable = (digest: string): Map<number, unknown> => map([0, digest]);
const invoke = (name: string, ...values: number[]): DecodedAnswer =>
  bus.ask({
    operation: "function.invoke",
    selector: map([0, name]),
    input: new Uint8Array(Int16Array.from(values).buffer),
    descriptor: map([0, 2], [1, [values.length / 2, 2]]),
  });
const shortsOf = (bytes: Uint8Array | undefined): number[] => [
  ...new Int16Array(Uint8Array.from(bytes ?? []).buffer),
];
/** The functions of the newest birth record. */
function told(): unknown[] {
  const birth = platform.published.filter((p) => p.topic.endsWith("/b")).at(-1);
  const record = decodeCbor(birth?.payload ?? new Uint8Array(0)) as Map<number, unknown>;
  return (record.get(11) as Map<number, unknown>[]).map((f) => [f.get(0), f.get(1), f.get(4)]);
}

describe("a function in a slot", () => {
  it("is taken in, told, called, and there again after a restart", () => {
    expect(told()).toEqual([["twice", "1", 0]]);
    expect(errorAt(invoke("sums", 1, 2))).toBe("not-found selector");
    const content = image("1.0.0", 0);
    const { digest } = readImage(content);
    const answer = deploy(signed(content), digest);
    expect(answer.error).toBeUndefined();
    expect(answer.result).toEqual(map([0, "sums@1.0.0"], [1, digest]));
    expect(told()).toEqual([
      ["twice", "1", 0],
      ["sums", "1.0.0", 2],
    ]);
    for (const name of ["sums", "sums@1.0.0"]) {
      const called = invoke(name, 1, 2, -5, 3);
      expect(called.result).toEqual(map([0, "sums@1.0.0"]));
      expect(shortsOf(called.output)).toEqual([3, -2]);
      expect(called.descriptor).toEqual(map([0, 2], [1, [2]], [4, "V"]));
    }
    boot();
    expect(told()).toHaveLength(2);
    expect(shortsOf(invoke("sums", 4, 4).output)).toEqual([8]);
    // The same again: it is there.
    expect(deploy(signed(content)).result?.get(0)).toBe("sums@1.0.0");
  });

  it("is replaced by a newer one, and given back by one that fails its self-test", () => {
    deploy(signed(image("1.0.0", 0)));
    expect(deploy(signed(image("2.0.0", 7), 2)).error).toBeUndefined();
    expect(shortsOf(invoke("sums", 1, 2).output)).toEqual([10]);
    const wrong = image("3.0.0", 9, {
      golden: { input: Uint8Array.of(1, 0, 2, 0), output: Uint8Array.of(3, 0) },
    });
    expect(errorAt(deploy(signed(wrong, 3)))).toBe("corrupt");
    expect(shortsOf(invoke("sums", 1, 2).output)).toEqual([10]);
    expect(told()).toContainEqual(["sums", "2.0.0", 2]);
    expect(errorAt(deploy(signed(image("1.0.0", 0), 1)))).toBe("forbidden");
  });

  it("is removed, and its counter counts on", () => {
    deploy(signed(image("1.0.0", 0), 5));
    const remove = (name: string): DecodedAnswer =>
      bus.ask({ operation: "function.remove", arguments: map([0, name]) }, 100);
    expect(errorAt(remove("other"))).toBe("not-found arguments");
    expect(errorAt(remove("twice"))).toBe("not-found arguments");
    expect(remove("sums").result).toEqual(map([0, "sums@1.0.0"]));
    expect(errorAt(invoke("sums", 1, 2))).toBe("not-found selector");
    expect(told()).toEqual([["twice", "1", 0]]);
    expect(errorAt(deploy(signed(image("0.9.0", 0), 4)))).toBe("forbidden");
  });

  it("answers its traps with kind and site of its own", () => {
    deploy(signed(image("1.0.0", 0)));
    const trapped = invoke("sums", 600, 66);
    expect(errorAt(trapped)).toBe("function-failed");
    expect(trapped.error).toEqual(map([0, 14], [1, "number"], [4, 6], [5, 17]));
    // Half an element is no output: capacity.
    expect(invoke("sums", 600, 67).error?.get(4)).toBe(5);
    expect(
      errorAt(
        bus.ask({
          operation: "function.invoke",
          selector: map([0, "sums"]),
          input: new Uint8Array(6),
          descriptor: map([0, 2], [1, [-1, 2]]),
        }),
      ),
    ).toBe("descriptor-mismatch input.bytes");
  });
});

describe("function.deploy refuses", () => {
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const short: FunctionData = { ...shorts, bytes: 30 };
  const wide: FunctionData = { ...sum, shape: [-1, 70000, 70000, 70000], bytes: 16 };
  it.each<[string, string, () => Uint8Array]>([
    ["a stranger's", "forbidden", () => signed(image("1", 0), 1, stranger.privateKey)],
    [
      "one for another processor",
      "descriptor-mismatch input.machine",
      () => signed(image("1", 0, { machine: "cortex-m3" })),
    ],
    [
      "what its digest does not fit",
      "corrupt",
      () => {
        const file = signed(image("1", 0));
        file[file.length - 1] = 9;
        return file;
      },
    ],
    ["what is no function", "bad-request input", () => signed(new Uint8Array(200))],
    ["what is shorter than a header", "bad-request input", () => signed(new Uint8Array(20))],
    [
      "what the check refuses",
      "descriptor-mismatch input",
      () => signed(image("1", 0, { code: new Uint8Array(1000) })),
    ],
    [
      "types that do not fit its bytes",
      "descriptor-mismatch input",
      () => signed(image("1", 0, { input: short })),
    ],
    ["types of impossible sizes", "descriptor-mismatch input", () => signed(image("1", 0, { output: wide }))],
    [
      "texts as elements",
      "descriptor-mismatch input",
      () => signed(image("1", 0, { output: { ...sum, elementType: 8 } })),
    ],
  ])("%s", (_what, expected, file) => {
    expect(errorAt(deploy(file()))).toBe(expected);
    expect(told()).toEqual([["twice", "1", 0]]);
    // And takes a good one after it.
    expect(deploy(signed(image("1.0.0", 0), 2)).error).toBeUndefined();
  });

  it("another digest than the argument's, and everything on a node without a processor for it or a key", () => {
    expect(errorAt(deploy(signed(image("1", 0)), "0".repeat(64)))).toBe("bad-request arguments");
    boot({});
    expect(errorAt(deploy(signed(image("1", 0))))).toBe("descriptor-mismatch input.machine");
    slots = new SimulatedSlots(2, 61440, undefined);
    boot();
    expect(errorAt(deploy(signed(image("1", 0))))).toBe("forbidden");
    expect(encodeCbor(told())).toEqual(encodeCbor([["twice", "1", 0]]));
  });
});
