/**
 * The compiled default node over MQTT, under AddressSanitizer and UBSan: its records, each of its operations with real
 * inputs, repetitions, deadlines, restarts of the node and of the broker. Wrong and hostile input has a suite of
 * its own.
 */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { loadTflite } from "../../compiler/model/load.js";
import { ModelRuntime } from "../../compiler/model/runtime.js";
import { describeOutcome } from "../../host/bus/bus-client.js";
import { encodeRequest, resultOf } from "../../host/bus/protocol.js";
import { collectModes, elementTypes } from "../../host/bus/protocol-keys.js";
import { generateWindow, inUnits, labels, windowLength, axes } from "../../models/vibration/generator.js";
import { findMosquitto } from "../support/mosquitto.js";
import { Bench } from "./minimal-node.js";

const reason = findMosquitto() === undefined ? " (skipped: Mosquitto is not installed)" : "";
const vibration = "generator:vibration-imbalance";
const scale = 0.03125;

describe.skipIf(reason !== "")(`minimal node${reason}`, () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(async () => {
    await bench.stop();
  });
  afterEach(async () => {
    expect(await bench.stopNodes()).toEqual([]);
    expect(bench.client.violations.splice(0)).toEqual([]);
  });

  it("announces what it can do, and describes itself the same way", async () => {
    const node = await bench.node({ args: ["--sensor", `accelerometer=${vibration}`] });
    const birth = await bench.client.birth(node.id);
    expect(birth).toMatchObject({ node: node.id, boot: 1, kind: 0, maxMsg: 1024, software: "tmc-minimal" });
    expect([...birth.operations].sort()).toEqual([
      "data.collect",
      "model.infer",
      "node.configure",
      "node.describe",
      "node.monitor",
    ]);
    expect(birth.sensors).toMatchObject([{ name: "accelerometer", channels: 3, unit: "g" }]);
    expect(birth.models).toMatchObject([{ name: "vibration", outputs: [{ labels: [...labels] }] }]);
    expect(await bench.ask(node, "node.describe")).toEqual(birth);
    expect(bench.client.states.get(node.id)).toMatchObject({
      boot: 1,
      online: true,
      resetReason: 1,
      errorFlags: 0,
    });
  });

  it("is woken about once a second while nothing is to be done", async () => {
    const node = await bench.node();
    const before = (await node.statistics()).get("ticks") ?? Number.NaN;
    await wait(1200);
    // A question for statistics is an event, and with it a tick.
    const after = (await node.statistics()).get("ticks") ?? Number.NaN;
    expect(after - before).toBeGreaterThanOrEqual(1);
    expect(after - before).toBeLessThanOrEqual(8);
  });

  it("says when a sensor is missing", async () => {
    const node = await bench.node();
    expect((await bench.ask(node, "node.monitor")).errorFlags).toBe(4);
    const { done } = await bench.exchange(node, "data.collect", { arguments: { sensor: "accelerometer" } });
    expect(done.error).toBeDefined();
  });

  it("acknowledges twice and states its times", async () => {
    const node = await bench.node();
    const { accepted, acceptedMs, done, doneMs } = await bench.exchange(node, "node.monitor");
    expect(accepted?.stage).toBe(1);
    expect(describeOutcome(done)).toBe("done");
    expect(acceptedMs).toBeLessThanOrEqual(doneMs);
    expect((done.queueUs ?? Infinity) + (done.executionUs ?? Infinity)).toBeLessThan(doneMs * 1000);
  });

  it("counts what it does", async () => {
    const node = await bench.node();
    const before = await bench.ask(node, "node.monitor");
    await bench.ask(node, "node.describe");
    await bench.exchange(node, "no.such.operation");
    const after = await bench.ask(node, "node.monitor");
    expect(after.counters.received - before.counters.received).toBe(3);
    expect(after.counters.answered - before.counters.answered).toBe(3);
    expect(after.counters.errors.get(2)).toBe(1);
    expect(after.active).toBe(0);
  });

  it("collects the frames that the sensor shows, in order", async () => {
    const rows = Array.from({ length: 50 }, (_, i) => [i / 8, 50 - i, i * 100]);
    const node = await bench.node({ args: bench.accelerometer("ramp", rows) });
    const { done } = await bench.exchange(node, "data.collect", {
      arguments: { sensor: "accelerometer", frames: 60, rate: 1000 },
    });
    expect(resultOf("data.collect", done)).toEqual({ frames: 60, lost: 0 });
    expect(done.outputDescriptor).toMatchObject({
      elementType: elementTypes.f32,
      shape: [60, 3],
      rate: 1000,
      unit: "g",
    });
    const output = done.output as Uint8Array;
    const values = Array.from({ length: 180 }, (_, i) => Buffer.from(output).readFloatLE(4 * i));
    expect(values).toEqual([...rows, ...rows.slice(0, 10)].flat());
    expect(done.executionUs).toBeGreaterThan(50_000);
    expect(done.executionUs).toBeLessThan(1_000_000);
  });

  it("summarises what does not fit in a message", async () => {
    const rows = [
      [1, 0, -3],
      [-1, 0, 3],
      [1, 0, -3],
      [-1, 4, 3],
    ];
    const node = await bench.node({ args: bench.accelerometer("square", rows) });
    const result = await bench.ask(node, "data.collect", {
      arguments: { sensor: "accelerometer", frames: 400, rate: 2000, mode: collectModes.summary },
    });
    expect(result).toMatchObject({ frames: 400, lost: 0 });
    const expected = [
      [0, -1, 1, 1],
      [1, 0, 4, 2],
      [0, -3, 3, 3],
    ];
    // Mean, minimum, maximum, root mean square; computed in 32-bit floats, one frame after the other.
    for (const [channel, values] of expected.entries()) {
      for (const [i, value] of values.entries()) {
        expect(result.channels?.[channel]?.[i]).toBeCloseTo(value, 5);
      }
    }
  });

  it("infers exactly what the model computes, from int8 and from floats", async () => {
    const node = await bench.node();
    const runtime = new ModelRuntime(loadTflite(packagePath("models", "vibration", "vibration.tflite")));
    for (const [label, name] of labels.entries()) {
      for (const index of [label, label + 3, label + 6]) {
        const window = inUnits(generateWindow(77, index, label));
        const input = Int8Array.from(window, (g) =>
          Math.min(127, Math.max(-128, Math.floor(g / scale + 0.5))),
        );
        runtime.input(0).set(input);
        runtime.invoke();
        const expected = Int8Array.from(runtime.output(0));
        const best = expected.indexOf(Math.max(...expected));
        const shape = [windowLength, axes];
        const { done } = await bench.exchange(node, "model.infer", {
          input: new Uint8Array(input.buffer),
          inputDescriptor: { elementType: elementTypes.i8, shape, scale, zeroPoint: 0 },
        });
        expect(describeOutcome(done), name).toBe("done");
        expect(Int8Array.from(done.output as Uint8Array)).toEqual(expected);
        expect(done.outputDescriptor).toMatchObject({
          elementType: elementTypes.i8,
          scale: 1 / 256,
          zeroPoint: -128,
        });
        expect(resultOf("model.infer", done)).toMatchObject({
          label: labels[best],
          index: best,
          score: ((expected[best] ?? 0) + 128) / 256,
        });
        const real = await bench.exchange(node, "model.infer", {
          input: new Uint8Array(input.buffer),
          inputDescriptor: { elementType: elementTypes.i8, shape },
          acceptedOutput: { elementType: elementTypes.f32 },
        });
        const bytes = Buffer.from(real.done.output as Uint8Array);
        expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toEqual(
          Array.from(expected, (q) => (q + 128) / 256),
        );
      }
    }
  });

  it.each(labels)("infers %s from its sensor", async (label) => {
    const node = await bench.node({ args: ["--sensor", `accelerometer=generator:vibration-${label}`] });
    const { done } = await bench.exchange(node, "model.infer", {
      input: "sensor:accelerometer",
      selector: { name: "vibration" },
    });
    expect(describeOutcome(done)).toBe("done");
    expect(resultOf("model.infer", done)).toMatchObject({ label, lost: 0 });
    expect(done.executionUs).toBeGreaterThan(79_000); // 128 frames at 1600 Hz
  });

  it("gives the same bytes again to a repeated request, and counts it", async () => {
    const node = await bench.node();
    const request = { ...bench.client.identify({ operation: "node.monitor" }), id: 4_000_000_000 };
    const payload = encodeRequest(request);
    const answers = (): typeof bench.client.unmatched =>
      bench.client.unmatched.filter((each) => each.id === request.id && each.stage === 2);
    await bench.client.send(node.id, payload);
    await bench.client.until("the answer", () => answers().length === 1);
    await bench.client.send(node.id, payload);
    await bench.client.until("the repetition", () => answers().length === 2);
    expect(answers()[1]).toEqual(answers()[0]);
    expect((await bench.ask(node, "node.monitor")).counters.duplicates).toBe(1);
  });

  it("ends a request at its deadline", async () => {
    const node = await bench.node({ args: ["--sensor", `accelerometer=${vibration}`] });
    const { accepted, done, doneMs } = await bench.exchange(node, "data.collect", {
      arguments: { sensor: "accelerometer", frames: 60, rate: 10 },
      deadlineMs: 200,
    });
    expect(accepted).toBeDefined();
    expect(describeOutcome(done)).toContain("deadline");
    expect(doneMs).toBeGreaterThan(190);
    expect(doneMs).toBeLessThan(2000);
    expect(describeOutcome((await bench.exchange(node, "node.monitor", { deadlineMs: 0 })).done)).toContain(
      "deadline",
    );
  });

  it("answers quickly in between, keeps a bounded queue, and is busy beyond", async () => {
    const node = await bench.node({ args: ["--sensor", `accelerometer=${vibration}`] });
    const { queue } = await bench.client.birth(node.id);
    const collect = { arguments: { sensor: "accelerometer", frames: 20, rate: 100 } };
    const running = Array.from({ length: queue + 2 }, () => bench.exchange(node, "data.collect", collect));
    const monitor = await bench.ask(node, "node.monitor");
    expect(monitor.active).toBe(queue);
    const outcomes = (await Promise.all(running)).map((each) => each.done.error?.code);
    expect(outcomes.filter((code) => code === undefined)).toHaveLength(queue);
    expect(outcomes.filter((code) => code === 7)).toHaveLength(2);
  });

  it("keeps its settings over restarts, all of a change or none", async () => {
    const first = await bench.node({ id: "keeper" });
    const set = (
      settings: readonly [string, number][],
    ): { arguments: { settings: Map<string, number> } } => ({
      arguments: { settings: new Map(settings) },
    });
    const { settings } = await bench.ask(first, "node.configure");
    expect(settings.get("telemetry.interval")).toBe(60);
    const changed = await bench.ask(first, "node.configure", set([["telemetry.interval", 1]]));
    expect(changed.settings.get("telemetry.interval")).toBe(1);
    const refused = await bench.exchange(
      first,
      "node.configure",
      set([
        ["collect.rate", 100],
        ["telemetry.interval", -1],
      ]),
    );
    expect(describeOutcome(refused.done)).toContain("bad-request in settings.telemetry.interval");
    expect(await bench.ask(first, "node.configure")).toEqual(changed);
    await bench.client.until("telemetry", () => bench.client.events.some((each) => each.node === "keeper"));
    await first.stop();

    const second = await bench.node({ id: "keeper" });
    expect(await bench.ask(second, "node.configure")).toEqual(changed);
    expect(await bench.ask(second, "node.monitor")).toMatchObject({ boot: 2, resetReason: 1 });
  });

  it("goes offline by its will, which names the boot", async () => {
    const node = await bench.node();
    await node.stop("SIGKILL");
    expect(await bench.client.state(node.id, (state) => !state.online)).toEqual({
      version: 1,
      node: node.id,
      boot: 1,
      online: false,
    });
  });

  it("reconnects when the broker comes back, announces itself anew, and counts it", async () => {
    const node = await bench.node({
      args: ["--sensor", `accelerometer=${vibration}`, "--backoff", "50:200"],
    });
    const births = (): number => bench.client.received.get(`t1/edge/${node.id}/b`) ?? 0;
    for (const round of [1, 2]) {
      const before = births();
      await bench.broker.kill();
      await node.child.waitForLine(/warning: connection to .* lost/);
      await bench.broker.resume();
      await bench.client.until("the client's own session", () => bench.client.connected);
      // The broker forgot everything; what is retained now was published after the restart.
      await bench.client.until("a new birth record", () => births() > before);
      const state = await bench.client.state(node.id, (each) => each.counters?.reconnects === round);
      expect(state).toMatchObject({ boot: 1, online: true });
      expect(resultOf("node.describe", (await bench.exchange(node, "node.describe")).done).node).toBe(
        node.id,
      );
    }
    expect((await node.statistics()).get("connects")).toBe(3);
  });

  it("delivers an answer that was ready while the broker was away", async () => {
    const node = await bench.node({
      args: ["--sensor", `accelerometer=${vibration}`, "--backoff", "1500:1500"],
    });
    const request = {
      ...bench.client.identify({
        operation: "data.collect",
        arguments: { sensor: "accelerometer", frames: 30, rate: 100 },
      }),
      id: 4_000_000_001,
    };
    await bench.client.send(node.id, encodeRequest(request));
    await bench.client.until("accepted", () => bench.client.unmatched.some((each) => each.id === request.id));
    await bench.broker.kill();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await bench.broker.resume();
    // The node waits longer than this client before it connects: nobody misses the answer.
    await bench.client.until("the client's own session", () => bench.client.connected);
    await bench.client.until("done", () =>
      bench.client.unmatched.some((each) => each.id === request.id && each.stage === 2),
    );
  });
});
