/** The thread of training: it gives results, is ended at once, and its memory is capped. */
import { describe, expect, it } from "vitest";
import { runTask } from "./run-task.js";
import type { TrainTask } from "./tasks.js";

function task(count: number, epochs: number): TrainTask {
  const values = Float32Array.from({ length: count * 4 }, (_, i) => (i % 8 < 4 ? 1 : -1) + (i % 3) / 10);
  const classes = Uint8Array.from({ length: count }, (_, i) => i % 2);
  const samples = { shape: [4], count, values, classes, targets: new Float32Array() };
  return {
    kind: "train",
    name: "t",
    task: "classification",
    labels: ["a", "b"],
    training: samples,
    validation: { ...samples, count: 0, values: new Float32Array(), classes: new Uint8Array() },
    architecture: "mlp",
    units: [4],
    epochs,
    batchSize: 4,
    learningRate: 0.05,
    seed: 1,
    patience: undefined,
    budgetS: undefined,
    from: undefined,
  };
}

describe("the thread of training", () => {
  it("reports epochs, and stops within a second when it is told to", async () => {
    const controller = new AbortController();
    const texts: string[] = [];
    let told = 0;
    const report = (_fraction: number, text: string): void => {
      texts.push(text);
      if (texts.length !== 2) return;
      told = performance.now();
      controller.abort();
    };
    await expect(runTask(task(16, 1_000_000), { signal: controller.signal, report })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(performance.now() - told).toBeLessThan(1000);
    expect(texts[0]).toMatch(/^epoch 1 of 1000000, loss 0\.\d{4}$/);
    await expect(runTask(task(16, 1), { signal: controller.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  it("tells failures with their code, and ends when it takes too much memory", async () => {
    const { signal } = new AbortController();
    const wrong = { kind: "average", name: "t", models: [new Uint8Array(100)], weights: [1] } as const;
    await Promise.all([
      expect(runTask(wrong, { signal })).rejects.toMatchObject({
        code: "descriptor-mismatch",
        text: /^TMC3/,
      }),
      expect(runTask(wrong, { signal, memoryMb: 4 })).rejects.toMatchObject({ code: "no-space" }),
    ]);
  });
});
