/** A fake node with a small plant around it: nodes, data, models, jobs, as the page shows them in tests and in looking at it. */
import type { FakeNode } from "./fake-node.js";

const day = "2026-01-02T03:04:05.000Z";
const digest = "ab".repeat(32);

export const vibrationModels = [
  {
    name: "vibration",
    version: "2-int8",
    digest,
    form: "int8",
    task: "classification",
    stage: "candidate",
    bytes: 23_456,
    inputs: ["i8 [1, 128, 3]"],
    outputs: ["i8 [1, 3]"],
    labels: ["normal", "imbalance", "bearing"],
    metrics: {
      "vibration:test": { accuracy: 0.9712, loss: 0.0934 },
      "vibration:validation": { accuracy: 0.965 },
    },
    cost: { flash: 31_000, ram: 9_800, macs: 123_456 },
    parent: "vibration@2",
    createdAt: day,
    nodes: ["pump-1"],
  },
  {
    name: "vibration",
    version: "2",
    digest,
    form: "float",
    task: "classification",
    stage: "production",
    bytes: 81_000,
    inputs: ["f32 [1, 128, 3]"],
    outputs: ["f32 [1, 3]"],
    labels: ["normal", "imbalance", "bearing"],
    metrics: { "vibration:test": { accuracy: 0.975 } },
    data: "vibration",
    createdAt: day,
    nodes: [],
  },
];

export const vibrationData = {
  name: "vibration",
  items: 240,
  bytes: 368_640,
  elementType: "f32",
  shape: [128, 3],
  rate: 100,
  unit: "m/s2",
  labels: { normal: 160, imbalance: 50, bearing: 30 },
  usages: { training: 168, validation: 36, test: 36 },
  createdAt: day,
  changedAt: day,
};

/** Answers as a node with data and models would; nodes and jobs are joined by the test, or by `populate`. */
export function answerAsPlant(node: FakeNode): void {
  node.answer("data.list", () => ({ result: { dataSets: [vibrationData] } }));
  node.answer("model.list", () => ({ result: { models: vibrationModels } }));
  node.answer("node.monitor", () => ({
    result: {
      uptimeS: 3600,
      boot: 3,
      resetReason: 4,
      errorFlags: 9,
      counters: {},
      active: 0,
      stackFree: 2872,
      peaks: { jobs: 2, unsent: 0, frames: 128 },
      crash: { kind: 1, site: 17, boot: 2, work: "data.collect" },
    },
  }));
  node.answer("data.retrieve", () => {
    const items = new Float32Array(2 * 128 * 3).map(
      (_, i) => Math.sin((Math.floor(i / 3) * (1 + (i % 3))) / 9) * (1 + (i % 3)) + Math.sin(i) / 9,
    );
    return {
      result: { items: 2, total: 240, labels: ["normal", "bearing"] },
      output: new Uint8Array(items.buffer),
      outputDescriptor: { elementType: 6, shape: [2, 128, 3], rate: 100, unit: "m/s2" },
    };
  });
}

export function populate(node: FakeNode): void {
  answerAsPlant(node);
  for (let i = 1; i <= 9; i++)
    node.join(`pump-${i}`, { labels: [`hall-${i % 3}`] }, { inFlight: i % 4 === 0 ? 2 : 0 });
  node.join("gateway", { kind: 1, software: "tmc-node" }, { latencyMs: 1.2 });
  node.leave("pump-7");
  for (let i = 0; i < 60; i++) {
    const operation = ["data.store", "model.infer", "data.collect"][i % 3]!;
    node.request({
      operation,
      node: operation === "data.store" ? "edge" : `pump-${1 + (i % 5)}`,
      totalMs: 2 + (i % 7),
    });
  }
  node.request({ operation: "model.infer", error: "no-capable-node", decision: "refuse" });
  const at = (s: number): string => new Date(Date.now() - s * 1000).toISOString();
  node.job({
    id: "job-1",
    operation: "model.evaluate",
    subject: "vibration@2-int8",
    state: "done",
    progress: 1,
    text: "240 items",
    createdAt: at(500),
    startedAt: at(500),
    endedAt: at(490),
    result: {
      items: 36,
      confusion: [
        [23, 1, 0],
        [0, 8, 0],
        [0, 1, 3],
      ],
    },
  });
  node.job({
    id: "job-2",
    operation: "task.workflow",
    subject: "nightly",
    state: "running",
    progress: 0.5,
    text: "train",
    createdAt: at(60),
    startedAt: at(60),
    steps: [
      { name: "collect", state: "done", attempts: 1, node: "pump-1" },
      { name: "split", state: "done", attempts: 1, after: ["collect"] },
      { name: "train", state: "running", attempts: 2, after: ["split"] },
      { name: "evaluate-old", state: "failed", attempts: 3, after: ["split"], error: "deadline: 10 s" },
      { name: "validate", state: "waiting", attempts: 0, after: ["train", "evaluate-old"] },
    ],
  });
  node.job({
    id: "job-3",
    progress: 0.35,
    text: "epoch 11 of 30, loss 0.21",
    createdAt: at(20),
    startedAt: at(19),
  });
  node.log.log.info({ module: "core", node: "pump-1" }, "node online");
  node.log.log.warn({ module: "storage", dataSet: "vibration", used: 0.91 }, "data set near its quota");
  node.log.log.error({ module: "functions", code: "TMC6301" }, "bundle refused: signed by an unknown key");
  node.explanation = {
    decision: "dispatch",
    chosen: "pump-1",
    error: undefined,
    candidates: [
      {
        node: "pump-1",
        kind: "node",
        fits: true,
        why: "",
        score: { total: 5.2, parts: { latency: 4.2, energy: 1 } },
      },
      { node: "pump-2", kind: "node", fits: false, why: "model vibration@2-int8", score: undefined },
      { node: "cloud", kind: "server", fits: true, why: "", score: { total: 55, parts: { forward: 55 } } },
    ],
  };
}
