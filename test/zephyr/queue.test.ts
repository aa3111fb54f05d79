/**
 * An LSM6DSL sampled through its FIFO: without loss up to the stated rate, and beyond it, or with a bus that fails, every frame
 * is counted. The register part and the pacing run on the host under sanitizers against a model of the sensor (no workspace
 * needed); the whole, with Zephyr's driver and the sampling thread, on native_sim with the model on an emulated bus.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { Child } from "../support/child.js";
import { buildImage, buildTimeout, noWorkspace } from "./support/zephyr-node.js";

interface Counted {
  readonly sensor: string;
  readonly frames: number;
  readonly lost: number;
  readonly due: number;
  readonly jumps: number;
  /** Largest step between two frames, in samples; native_sim only. */
  readonly most: number;
}

const counted = /^(\w+) frames (\d+) lost (\d+) due (\d+) jumps (\d+)(?: most (\d+))?$/;

function parse(lines: readonly string[]): Counted[] {
  return lines.flatMap((line) => {
    const [, sensor = "", frames, lost, due, jumps, most] = counted.exec(line) ?? [];
    return sensor === ""
      ? []
      : [
          {
            sensor,
            frames: Number(frames),
            lost: Number(lost),
            due: Number(due),
            jumps: Number(jumps),
            most: Number(most ?? 0),
          },
        ];
  });
}

/** Each frame that was due arrived or was counted, but for those of the last look at the queue. */
function expectAccounted(all: readonly Counted[], rateHz: number, lookMs: number): void {
  for (const one of all) {
    expect(one.jumps).toBe(0);
    expect(one.due - one.frames - one.lost).toBeGreaterThanOrEqual(-1);
    expect(one.due - one.frames - one.lost).toBeLessThanOrEqual((rateHz * lookMs) / 1000 + 1);
  }
}

const fixtures = packagePath("test", "zephyr", "fixtures", "queue");

/** What `queue-check` takes; rates in Hz, times in ms. */
interface Sampling {
  readonly rate: number;
  /** Code of the sensor's data rate: 1 is 12.5 Hz, 8 1666, 9 3332, 10 6664. */
  readonly code: number;
  /** 1 accelerometer, 2 gyroscope, 3 both. */
  readonly which: 1 | 2 | 3;
  readonly look: number;
  readonly seconds: number;
  readonly clockPercent?: number;
  readonly dead?: readonly [from: number, to: number];
}

describe.each(["gcc", "clang"])("the queue of an LSM6DSL, compiled by %s", (compiler) => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-queue-"));
    const port = packagePath("runtime-c", "port", "zephyr");
    const sources = [
      ...["queue-check.c", "lsm6dsl-model.c"].map((name) => join(fixtures, name)),
      ...["lsm6dsl.c", "pace.c"].map((name) => join(port, name)),
    ];
    const flags = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-g"];
    const sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    const built = spawnSync(compiler, [...flags, ...sanitize, ...sources, "-o", join(folder, "check")]);
    expect(built.stderr.toString()).toBe("");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const sample = (s: Sampling): Counted[] => {
    const [from, to] = s.dead ?? [0, 0];
    const words = [s.rate * 1000, s.code, s.which, s.look, s.seconds, s.clockPercent ?? 0, from, to].map(
      String,
    );
    const run = spawnSync(join(folder, "check"), words, { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    const all = parse(run.stdout.trimEnd().split("\n"));
    expect(all).toHaveLength(s.which === 3 ? 2 : 1);
    expectAccounted(all, s.rate, s.look);
    return all;
  };

  it.each<[string, Sampling]>([
    ["an accelerometer at 1600 Hz", { rate: 1600, code: 8, which: 1, look: 20, seconds: 10 }],
    ["a gyroscope at 3332 Hz", { rate: 3332, code: 9, which: 2, look: 20, seconds: 9 }],
    ["both at 1666 Hz", { rate: 1666, code: 8, which: 3, look: 20, seconds: 10 }],
    ["10 Hz for a minute", { rate: 10, code: 1, which: 1, look: 100, seconds: 60 }],
    [
      "a sensor whose clock is fast",
      { rate: 1600, code: 8, which: 3, look: 20, seconds: 10, clockPercent: 6 },
    ],
    [
      "a sensor whose clock is slow",
      { rate: 1600, code: 8, which: 3, look: 20, seconds: 10, clockPercent: -6 },
    ],
    ["a program that is busy for 300 ms", { rate: 1600, code: 8, which: 1, look: 300, seconds: 9 }],
    [
      "a bus that is busy between two looks",
      { rate: 1600, code: 8, which: 3, look: 20, seconds: 5, dead: [2000, 2002] },
    ],
  ])("loses nothing of %s", (_, sampling) => {
    for (const one of sample(sampling)) expect(one.lost).toBe(0);
  });

  it.each<[string, Sampling, number, number]>([
    [
      "both at a rate that the bus cannot carry",
      { rate: 6664, code: 10, which: 3, look: 10, seconds: 4 },
      8000,
      22000,
    ],
    [
      "a queue that overruns at every look",
      { rate: 1600, code: 8, which: 1, look: 500, seconds: 10 },
      16000,
      16000,
    ],
    [
      "a bus that is dead for two seconds",
      { rate: 1600, code: 8, which: 1, look: 20, seconds: 5, dead: [2000, 4000] },
      3200,
      3300,
    ],
  ])("counts what is lost of %s", (_, sampling, least, most) => {
    for (const { lost } of sample(sampling)) {
      expect(lost).toBeGreaterThanOrEqual(least);
      expect(lost).toBeLessThanOrEqual(most);
    }
  });

  it("never mixes up the words of a sample, wherever a read fails", () => {
    let lost = 0;
    for (let from = 1990; from < 2010; from++) {
      lost +=
        sample({ rate: 1600, code: 8, which: 3, look: 20, seconds: 3, dead: [from, from + 2] })[0]?.lost ?? 0;
    }
    expect(lost).toBeGreaterThan(0); // some of them failed half-way
  });
});

describe.skipIf(noWorkspace !== "")(
  `the LSM6DSL's queue under Zephyr, on an emulated bus${noWorkspace}`,
  () => {
    it(
      "loses nothing on native_sim up to the stated rate, and counts beyond",
      async () => {
        const image = await buildImage("native_sim", "queue", fixtures, {
          sourceDir: join(fixtures, "zephyr"),
        });
        const child = await Child.start(image.executable, ["--no-rt"], { name: "native_sim" });
        try {
          await child.waitForLine("done", 60_000);
        } finally {
          await child.stop();
        }
        const lines = child.lines.map(({ text }) => text.trim());
        const of = (title: string): Counted[] => {
          const from = lines.indexOf(title) + 1;
          const next = lines.findIndex(
            (line, i) => i >= from && !counted.test(line) && !line.startsWith("log "),
          );
          return parse(lines.slice(from, next));
        };
        for (const [title, rate, sensors] of [
          ["1600", 1600, 1],
          ["3330", 3330, 1],
          ["both 1660", 1660, 2],
        ] as const) {
          const all = of(title);
          expect(all.map((one) => one.lost)).toEqual(Array(sensors).fill(0));
          expect(Math.max(...all.map((one) => one.most))).toBeLessThanOrEqual(2);
          expectAccounted(all, rate, 20);
        }
        expectAccounted(of("both 6660"), 6660, 60);
        expect(of("both 6660").every((one) => one.lost > 4000 && one.frames > 2000)).toBe(true);
        expectAccounted(of("bus dead 100 ms"), 1600, 40);
        expectAccounted(of("bus dead 1500 ms"), 1600, 40);
        expect(of("bus dead 1500 ms")[0]?.lost).toBeGreaterThan(1500 * 1.6);
        expect(of("slow")).toMatchObject([{ lost: 0, jumps: 0 }]);
      },
      buildTimeout,
    );
  },
);
