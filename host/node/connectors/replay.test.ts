/** Recordings and generators; the vibration of the simulated C node is compared with that of C itself. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../../compiler/board/package-root.js";
import { ReplayConnector, type ReplaySensor } from "./replay.js";
import { vibrationStream } from "./vibration-generator.js";

const never = new AbortController().signal;
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-replay-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Partial<ReplaySensor>): Promise<ReplayConnector> {
  const sensor = { name: "s", source: "", channels: ["x"], rate: 100, immediate: true, seed: 1, ...options };
  const connector = new ReplayConnector([sensor], folder);
  await connector.start();
  return connector;
}

async function frames(connector: ReplayConnector, count: number, rate = 100): Promise<number[]> {
  const window = await connector.sensors()[0]?.collect(count, rate, never);
  return Array.from(window?.samples ?? []);
}

describe("recordings", () => {
  it("give the chosen columns, over and over", async () => {
    writeFileSync(join(folder, "pump.csv"), '\ufefft,"x",y\n0,1,-1.5\n1,2,2e1\n\n2,3,.25\n');
    const connector = await open({ source: "pump.csv", channels: ["y", "x"] });
    expect(connector.sensors()[0]?.description).toEqual({
      name: "s",
      channels: 2,
      rate: 100,
      channelNames: ["y", "x"],
    });
    expect(await frames(connector, 4)).toEqual([-1.5, 1, 20, 2, 0.25, 3, -1.5, 1]);
    expect(await frames(connector, 1)).toEqual([20, 2]);
  });

  it("take their time unless they are immediate", async () => {
    writeFileSync(join(folder, "slow.csv"), "x\n1\n");
    const connector = await open({ source: "slow.csv", immediate: false });
    const startedAt = performance.now();
    await frames(connector, 10, 100);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(98);
    const late = AbortSignal.timeout(20);
    await expect(connector.sensors()[0]?.collect(100, 1, late)).rejects.toMatchObject({ code: "deadline" });
  });

  it.each([
    ["absent.csv", undefined],
    ["empty.csv", ""],
    ["header.csv", "x\n"],
    ["other.csv", "y\n1\n"],
    ["text.csv", "x\n1\nabc\n"],
    ["hex.csv", "x\n0x10\n"],
    ["infinite.csv", "x\n1e300\n"],
    ["short.csv", "x,y\n1\n"],
    ["quote.csv", 'x\n"1\n'],
    ["binary.csv", "\u0000\u0001\n\u0002\n"],
  ])("%s is refused before the node starts", async (name, content) => {
    if (content !== undefined) writeFileSync(join(folder, name), content);
    await expect(open({ source: name })).rejects.toMatchObject({ code: "TMC6603" });
  });
});

describe("generators", () => {
  it("are refused when unknown or with other channels", async () => {
    await expect(open({ source: "generator:nothing" })).rejects.toMatchObject({ code: "TMC6603" });
    await expect(open({ source: "generator:constructor" })).rejects.toMatchObject({ code: "TMC6603" });
    await expect(open({ source: "generator:counter", channels: ["a", "b"] })).rejects.toMatchObject({
      code: "TMC6603",
    });
  });

  it("counter, sine and noise", async () => {
    expect(await frames(await open({ source: "generator:counter" }), 4)).toEqual([0, 1, 2, 3]);
    const sine = await frames(await open({ source: "generator:sine", channels: ["a", "b"] }), 5, 4);
    [0, -1, 1, 0, 0, 1, -1, 0, 0, -1].forEach((value, i) => expect(sine[i]).toBeCloseTo(value, 6));
    const noise = await frames(await open({ source: "generator:noise", seed: 7 }), 10_000);
    const mean = noise.reduce((a, b) => a + b, 0) / noise.length;
    const variance = noise.reduce((a, b) => a + (b - mean) ** 2, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(0.05);
    expect(variance).toBeGreaterThan(0.9);
    expect(variance).toBeLessThan(1.1);
  });

  it("vibration is that of the simulated C node", () => {
    const source = join(folder, "main.c");
    writeFileSync(
      source,
      `#include "posix.h"
#include <stdio.h>
int main(void) {
    for (int label = 0; label < 3; label++) {
        for (uint32_t seed = 1; seed <= 4; seed++) {
            posix_vibration v = {0};
            posix_vibration_init(&v, label, seed);
            for (int i = 0; i < 1000; i++) {
                float f[3];
                posix_vibration_next(&v, 1000.0 / 1600000, f);
                (void)printf("%.9g %.9g %.9g\\n", (double)f[0], (double)f[1], (double)f[2]);
            }
        }
    }
    return 0;
}
`,
    );
    const port = packagePath("runtime-c", "port", "posix");
    const include = ["-I", port, "-I", packagePath("runtime-c", "include"), "-I", packagePath("runtime-c")];
    const program = join(folder, "vibration");
    execFileSync("cc", [...include, "-O1", "-o", program, source, join(port, "sensor-vibration.c"), "-lm"]);
    const lines = execFileSync(program, { encoding: "utf8" }).trim().split("\n");
    let line = 0;
    let different = 0;
    for (const label of [0, 1, 2] as const) {
      for (let seed = 1; seed <= 4; seed++) {
        const next = vibrationStream(label, seed);
        for (let i = 0; i < 1000; i++) {
          const expected = (lines[line++] ?? "").split(" ").map(Number);
          const frame = next(1000 / 1_600_000);
          expected.forEach((value, axis) => {
            const steps = Math.abs(Math.fround(value) - (frame[axis] ?? Number.NaN)) * 8192;
            // The C library and V8 differ in the last bit of a sine now and then: one step of the sensor.
            expect(steps).toBeLessThanOrEqual(1);
            if (steps !== 0) different++;
          });
        }
      }
    }
    expect(line).toBe(12_000);
    expect(different).toBeLessThanOrEqual(36);
  });
});
