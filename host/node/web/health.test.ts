import { expect, it } from "vitest";
import { healthLines } from "./health.js";

it.each([
  [
    { kind: 1, site: 17, boot: 4, work: "data.collect" },
    "boot 4 ended by an index out of bounds (site 17: tmc decode 17) during data.collect",
  ],
  [{ kind: 16, site: 0, boot: 2, work: "" }, "boot 2 ended by the watchdog"],
  [
    { kind: 17, site: 0x8000123, boot: 2, work: "tick" },
    "boot 2 ended by a fault of the processor at 0x8000123 during tick",
  ],
  [{ kind: 99, site: 1, boot: 2, work: "" }, "boot 2 ended by trap 99 (site 1: tmc decode 1)"],
])("tells the crash %j", (crash, value) => {
  expect(healthLines({ crash })).toEqual([{ name: "last crash", value, warns: true }]);
});

it("tells stack, queues, traps and drift, each where it is known", () => {
  expect(healthLines({})).toEqual([]);
  const lines = healthLines({
    stackFree: 400,
    peaks: { jobs: 1, unsent: 0, frames: 128 },
    trap: { kind: 4, site: 9 },
    drift: [
      { model: "m@1", epoch: 0, samples: 2, features: [[-1, 2, 0.5, 1, [1, 1]]] },
      { model: "n@1", epoch: 0, samples: 0, features: [] },
    ],
  });
  expect(lines).toEqual([
    { name: "last trap since boot", value: "an overflow (site 9: tmc decode 9)", warns: true },
    { name: "stack never used", value: "400 B", warns: true },
    { name: "most at once", value: "1 request, 0 unsent answers, 128 frames" },
    { name: "input of m@1", value: "2 samples, means 0.5 (-1 to 2)" },
    { name: "input of n@1", value: "none yet" },
  ]);
  expect(healthLines({ stackFree: 4000 })).toEqual([{ name: "stack never used", value: "4,000 B" }]);
});
