/** The built-in functions, on the default node of `app.ts` with a simulated accelerometer and model. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import type { SimulatedPlatform, SimulatedPlatformOptions } from "../../host/runtime/simulated-platform.js";
import {
  NodeUnderTest,
  decodeCbor,
  encodeCbor,
  errorAt,
  type DecodedAnswer,
} from "../../test/support/firmware-node.js";
import { simulatedModel, vibrationPlatform } from "../../test/support/vibration-platform.js";

let platform: SimulatedPlatform;
let bus: NodeUnderTest;

/** Boots a fresh copy of `app.ts`. */
async function boot(options: SimulatedPlatformOptions = {}): Promise<void> {
  platform = vibrationPlatform(options);
  usePlatform(platform);
  vi.resetModules();
  // Resetting gives new module instances; the runtime they bind to must be told again.
  const runtime = (await import("../../host/runtime/current-platform.js")) as {
    usePlatform: typeof usePlatform;
  };
  runtime.usePlatform(platform);
  await import("../app.js");
  platform.start();
  bus = new NodeUnderTest(platform);
}

const map = (...pairs: [number, unknown][]): Map<number, unknown> => new Map(pairs);
const floats = (bytes: Uint8Array | undefined): number[] => {
  const view = new DataView(Uint8Array.from(bytes ?? []).buffer);
  return Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
};
const int8 = (values: readonly number[]): Uint8Array => Uint8Array.from(values, (v) => v & 0xff);
const singles = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

beforeEach(() => boot());

describe("the default node", () => {
  it("tells its sensor and its model", () => {
    const birth = decodeCbor(platform.published[0]?.payload ?? new Uint8Array()) as Map<number, unknown>;
    expect(birth.get(9)).toEqual([
      map([0, "accelerometer"], [1, 3], [2, "g"], [3, 100], [4, 6664], [5, ["x", "y", "z"]], [6, [-4, 4]]),
    ]);
    expect(birth.get(10)).toEqual([
      map(
        [0, "vibration"],
        [1, "1.0.0"],
        [2, Uint8Array.of(0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77)],
        [3, "classification"],
        [4, [map([0, 0], [1, [1, 4, 1, 3]], [3, 1600], [4, "g"], [5, 0.5], [6, 1])]],
        [5, [map([0, 0], [1, [1, 3]], [5, 1 / 256], [6, -128], [8, ["healthy", "imbalance", "bearing"]])]],
      ),
    ]);
    expect(bus.ask({ operation: "node.describe" }).result).toEqual(birth);
  });

  it("flags a sensor that the board does not have", async () => {
    await boot({ sensors: {} });
    expect(bus.ask({ operation: "node.monitor" }).result?.get(3)).toBe(4);
    expect(errorAt(bus.ask({ operation: "data.collect", arguments: map([0, "accelerometer"]) }))).toBe(
      "bad-request arguments.rate",
    );
  });
});

describe("data.collect", () => {
  const collect = (...pairs: [number, unknown][]) => ({
    operation: "data.collect",
    arguments: map([0, "accelerometer"], ...pairs),
  });

  it("answers with frames and what they are", () => {
    const answer = bus.ask(collect([1, 5], [2, 200]), 100);
    expect(answer.error).toBeUndefined();
    expect(floats(answer.output)).toEqual([0, -0, 0.5, 1, -1, 0.5, 2, -2, 0.5, 3, -3, 0.5, 4, -4, 0.5]);
    expect(answer.descriptor).toEqual(map([0, 6], [1, [5, 3]], [3, 200], [4, "g"]));
    expect(answer.result).toEqual(map([0, 5], [1, 0]));
    expect(answer.executedUs).toBe(30_000);
    expect(platform.isSampling("accelerometer")).toBe(false);
  });

  it("takes the sensor's rate, or the setting, where none is stated", () => {
    expect(bus.ask(collect([1, 2]), 100).descriptor?.get(3)).toBe(100);
    bus.ask({ operation: "node.configure", arguments: map([0, new Map([["collect.rate", 400]])]) });
    expect(bus.ask(collect([1, 2]), 100).descriptor?.get(3)).toBe(400);
  });

  it("fills a message and no more", () => {
    const full = bus.ask(collect([1, 72], [2, 6400]), 100);
    expect(floats(full.output)).toHaveLength(216);
    expect(full.bytes.length).toBeLessThanOrEqual(1024);
    expect(errorAt(bus.ask(collect([1, 73])))).toBe("too-large arguments.count");
  });

  it("summarises any number of frames", () => {
    const answer = bus.ask(collect([1, 1001], [2, 1000], [3, 1]), 2000);
    expect(answer.output).toBeUndefined();
    expect(answer.result?.get(0)).toBe(1001);
    const [x, y, z] = answer.result?.get(2) as number[][];
    const rms = Math.sqrt((1000 * 2001) / 6);
    expect(x?.map((v) => Math.round(v * 100) / 100)).toEqual([500, 0, 1000, Math.round(rms * 100) / 100]);
    expect(y?.[0]).toBeCloseTo(-500, 2);
    expect(y?.slice(1, 3)).toEqual([-1000, -0]);
    expect(z).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it("counts lost frames", async () => {
    await boot({
      sensors: { accelerometer: { channels: 3, frame: (i) => [i, 0, 0], ringFrames: 4 } },
      tickMs: 10,
    });
    const answer = bus.ask(collect([1, 10], [2, 1000]), 200);
    expect(answer.result?.get(1)).toBe(18);
    expect(floats(answer.output).filter((_, i) => i % 3 === 0)).toEqual([0, 1, 2, 3, 10, 11, 12, 13, 20, 21]);
  });

  it("gives up at the deadline and stops the sensor", () => {
    const answer = bus.ask({ ...collect([1, 50], [2, 10]), deadlineMs: 200 }, 300);
    expect(errorAt(answer)).toBe("deadline");
    expect(platform.isSampling("accelerometer")).toBe(false);
  });

  it("estimates when it will have time again", () => {
    for (let i = 0; i < 4; i++) bus.send(collect([1, 50], [2, 100]));
    platform.advance(100);
    const busy = bus.ask(collect());
    expect(errorAt(busy)).toBe("busy");
    expect(busy.error?.get(3)).toBe(401);
  });

  it.each<[string, [number, unknown][]]>([
    ["not-found arguments.sensor", [[0, "thermometer"]]],
    ["bad-request arguments", [[0, 5]]],
    ["bad-request arguments", [[1, "many"]]],
    ["bad-request arguments.count", [[1, 0]]],
    [
      "bad-request arguments.count",
      [
        [1, 100_001],
        [3, 1],
      ],
    ],
    ["bad-request arguments.mode", [[3, 2]]],
    ["bad-request arguments.rate", [[2, 6665]]],
    ["bad-request arguments.rate", [[2, -1]]],
    ["bad-request arguments.rate", [[2, NaN]]],
    ["bad-request arguments", [[2, [100]]]],
  ])("refuses with %s", (expected, pairs) => {
    const args = map([0, "accelerometer"]);
    for (const [key, value] of pairs) args.set(key, value);
    expect(errorAt(bus.ask({ operation: "data.collect", arguments: args }))).toBe(expected);
  });

  it("ignores arguments it does not know", () => {
    const args = map([0, "accelerometer"], [9, { x: [1] }]);
    args.set(-1, "later");
    expect(errorAt(bus.ask({ operation: "data.collect", arguments: args }, 50))).toBe("none");
  });
});

describe("model.infer", () => {
  const shape: [number, unknown] = [1, [4, 3]];
  const infer = (
    input: Uint8Array | string | undefined,
    descriptor?: Map<number, unknown>,
    more: object = {},
  ) =>
    bus.ask(
      {
        operation: "model.infer",
        ...(input === undefined ? {} : { input }),
        ...(descriptor === undefined ? {} : { descriptor }),
        ...more,
      },
      typeof input === "string" ? 100 : 0,
    );
  const result = (answer: DecodedAnswer) => [0, 1, 2, 3, 4].map((k) => answer.result?.get(k));

  it("runs int8 input as it is", () => {
    const answer = infer(
      int8([5, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0]),
      map([0, 0], shape, [5, 0.5], [6, 1]),
    );
    expect(result(answer)).toEqual(["bearing", 255 / 256, 2, "vibration@1.0.0", 0]);
    expect([...(answer.output ?? [])]).toEqual([128, 128, 127]);
    expect(answer.descriptor).toEqual(map([0, 0], [1, [1, 3]], [5, 1 / 256], [6, -128]));
  });

  it("quantises f32 input: nearest, saturating", () => {
    const model = simulatedModel();
    const taken: number[] = [];
    const watched = { ...model, invoke: () => void taken.push(...model.input) };
    return boot({ models: { "vibration.tflite": watched } }).then(() => {
      const values = [0, 0.5, -0.5, 0.24, 0.26, -0.26, 63, 63.5, 1e30, -64.5, -65, -Infinity];
      infer(singles(values), map([0, 6], shape, [4, "g"]));
      expect(taken).toEqual([1, 2, 0, 1, 2, 0, 127, 127, 127, -128, -128, -128]);
    });
  });

  it("gives f32 output on request", () => {
    const answer = infer(int8(new Array<number>(12).fill(0)), map([0, 0], shape), { accept: map([0, 6]) });
    expect(floats(answer.output)).toEqual([0, 255 / 256, 0]);
    expect(answer.descriptor).toEqual(map([0, 6], [1, [1, 3]]));
  });

  it("takes a window of a sensor", () => {
    const answer = infer("sensor:accelerometer");
    expect(answer.error).toBeUndefined();
    // x and y cancel, z is 0.5 g: 1 step, and each value has the zero point 1.
    expect(result(answer)).toEqual(["bearing", 255 / 256, 2, "vibration@1.0.0", 0]);
    expect(platform.isSampling("accelerometer")).toBe(false);
    expect(answer.executedUs).toBe(10_000);
  });

  it("answers inline requests while a window is being taken", () => {
    bus.send({ operation: "model.infer", id: 1, input: "sensor:accelerometer", arguments: map([0, 100]) });
    platform.advance(20);
    bus.answers();
    const inline = infer(int8(new Array<number>(12).fill(0)), map([0, 0], shape), { id: 2 });
    expect(inline.result?.get(0)).toBe("imbalance");
    platform.advance(100);
    expect(bus.answers().map((a) => [a.id, a.result?.get(0)])).toEqual([[1, "bearing"]]);
  });

  it.each([
    ["vibration", "none"],
    ["vibration@1.0.0", "none"],
    ["vibration@2.0.0", "not-found selector"],
    ["speech", "not-found selector"],
  ])("finds the model %s: %s", (name, expected) => {
    const selector = map([0, name]);
    expect(errorAt(infer(new Uint8Array(12), map([0, 0], shape), { selector }))).toBe(expected);
  });

  it("finds a model by task", () => {
    const ask = (task: string) =>
      errorAt(infer(new Uint8Array(12), map([0, 0], shape), { selector: map([1, task]) }));
    expect(ask("classification")).toBe("none");
    expect(ask("regression")).toBe("not-found selector");
  });

  it.each<[string, Uint8Array | string | undefined, Map<number, unknown> | undefined]>([
    ["descriptor-mismatch input.element", new Uint8Array(12), undefined],
    ["descriptor-mismatch input.element", new Uint8Array(12), map([0, 2], [1, [4, 3]])],
    ["descriptor-mismatch input.shape", new Uint8Array(12), map([0, 0])],
    ["descriptor-mismatch input.shape", new Uint8Array(12), map([0, 0], [1, [3, 4]])],
    ["descriptor-mismatch input.format", new Uint8Array(12), map([0, 0], [1, [4, 3]], [2, 3])],
    ["descriptor-mismatch input.rate", new Uint8Array(12), map([0, 0], [1, [4, 3]], [3, 100])],
    ["descriptor-mismatch input.unit", new Uint8Array(48), map([0, 6], [1, [4, 3]], [4, "m/s2"])],
    ["descriptor-mismatch input.scale", new Uint8Array(12), map([0, 0], [1, [4, 3]], [5, 0.25])],
    ["descriptor-mismatch input.zeroPoint", new Uint8Array(12), map([0, 0], [1, [4, 3]], [6, 0])],
    ["descriptor-mismatch input.bytes", new Uint8Array(11), map([0, 0], [1, [4, 3]])],
    ["descriptor-mismatch input.bytes", new Uint8Array(12), map([0, 6], [1, [4, 3]])],
    ["bad-request input", undefined, undefined],
    ["not-found input", "sensor:microphone", undefined],
    ["not-found input", "store:42", undefined],
  ])("refuses with %s", (expected, input, descriptor) => {
    expect(errorAt(infer(input, descriptor))).toBe(expected);
  });

  it("refuses an output that the sender cannot use", () => {
    const good = map([0, 0], shape);
    expect(errorAt(infer(new Uint8Array(12), good, { accept: map([0, 2]) }))).toBe(
      "descriptor-mismatch accept.element",
    );
    expect(errorAt(infer(new Uint8Array(12), good, { accept: map([1, [4]]) }))).toBe(
      "descriptor-mismatch accept.shape",
    );
    expect(errorAt(infer(new Uint8Array(12), good, { accept: map([1, [3]]) }))).toBe("none");
  });

  it("refuses a rate that the sensor cannot do", () => {
    expect(errorAt(infer("sensor:accelerometer", undefined, { arguments: map([0, 7000]) }))).toBe(
      "bad-request arguments.rate",
    );
  });

  it("answers when the model traps, inline or on a window, and lives on", async () => {
    await boot({ models: { "vibration.tflite": simulatedModel({ withoutOutput: true }) } });
    expect(errorAt(infer(new Uint8Array(12), map([0, 0], shape)))).toBe("function-failed");
    expect(errorAt(infer("sensor:accelerometer"))).toBe("function-failed");
    expect(platform.isSampling("accelerometer")).toBe(false);
    expect(bus.ask({ operation: "node.monitor" }).error).toBeUndefined();
  });
});

describe("node.configure", () => {
  const configure = (settings?: Map<unknown, unknown>) =>
    bus.ask({
      operation: "node.configure",
      ...(settings === undefined ? {} : { arguments: map([0, settings]) }),
    });
  const values = (answer: DecodedAnswer) =>
    Object.fromEntries((answer.result?.get(0) ?? []) as Map<string, unknown>);

  it("answers with every setting", () => {
    expect(values(configure())).toEqual({ "collect.rate": 0, "telemetry.interval": 60 });
  });

  it("changes and keeps them over a restart", async () => {
    const changed = { "collect.rate": 12.5, "telemetry.interval": 7 };
    expect(values(configure(new Map(Object.entries(changed))))).toEqual(changed);
    await boot({ storage: platform.storage });
    expect(values(configure())).toEqual(changed);
    platform.published.length = 0;
    platform.advance(7_100);
    expect(platform.takePublished("/e")).toHaveLength(1);
  });

  it.each<[string, Map<unknown, unknown> | unknown]>([
    [
      "not-found settings",
      new Map<unknown, unknown>([
        ["telemetry.interval", 5],
        ["colour", 1],
      ]),
    ],
    ["bad-request settings.telemetry.interval", new Map([["telemetry.interval", -1]])],
    ["bad-request settings.telemetry.interval", new Map([["telemetry.interval", 86_401]])],
    ["bad-request settings.telemetry.interval", new Map([["telemetry.interval", 1.5]])],
    [
      "bad-request settings.collect.rate",
      new Map<unknown, unknown>([
        ["telemetry.interval", 5],
        ["collect.rate", "fast"],
      ]),
    ],
    ["bad-request settings.collect.rate", new Map([["collect.rate", NaN]])],
    // The good one comes first.
    [
      "bad-request settings.telemetry.interval",
      new Map([
        ["collect.rate", 5],
        ["telemetry.interval", -1],
      ]),
    ],
    ["bad-request settings", [1]],
    ["bad-request settings", new Map([[1, 1]])],
  ])("refuses with %s and changes nothing", (expected, settings) => {
    const answer = bus.ask({ operation: "node.configure", arguments: map([0, settings]) });
    expect(errorAt(answer)).toBe(expected);
    expect(values(configure())).toEqual({ "collect.rate": 0, "telemetry.interval": 60 });
    expect(platform.storage.size).toBe(0);
  });

  it("says when they cannot be kept", () => {
    platform.refuseStorage = true;
    expect(errorAt(configure(new Map([["telemetry.interval", 5]])))).toBe("no-space settings");
  });

  it.each<[string, Uint8Array, number, number]>([
    ["garbage", Uint8Array.of(0xff, 1, 2), 2, 60],
    ["too much", new Uint8Array(1025).fill(0xa0), 2, 60],
    ["a value out of bounds", encodeCbor(new Map([["telemetry.interval", -5]])), 0, 60],
    [
      "another type, then a good one",
      encodeCbor(
        new Map<string, unknown>([
          ["collect.rate", "x"],
          ["telemetry.interval", 9],
        ]),
      ),
      0,
      9,
    ],
    [
      "an unknown name, then a good one",
      encodeCbor(
        new Map<string, unknown>([
          ["colour", [1, 2]],
          ["telemetry.interval", 9],
        ]),
      ),
      0,
      9,
    ],
  ])("starts with %s in storage", async (_name, stored, flags, interval) => {
    await boot({ storage: new Map([["settings", stored]]) });
    expect(bus.ask({ operation: "node.monitor" }).result?.get(3)).toBe(flags);
    expect(values(configure())["telemetry.interval"]).toBe(interval);
  });
});
