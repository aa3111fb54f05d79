/** Mel filters and log-mel spectra against their formulas in double precision, and figures that librosa documents. */
import { describe, expect, it } from "vitest";
import { randomNumbers } from "../../test/support/singles.js";
import { LogMel, MelFilterBank, hertzOf, melOf, melWeights, type MelOptions, type MelScale } from "./mel.js";

const scales: readonly MelScale[] = ["htk", "slaney"];

const banks: readonly MelOptions[] = scales.flatMap((scale) => [
  { rate: 16000, size: 512, filters: 40, low: 20, high: 4000, scale },
  { rate: 16000, size: 1024, filters: 40, low: 20, high: 7600, scale },
  { rate: 100, size: 64, filters: 8, low: 1, scale },
]);

describe("the mel scale", () => {
  it("has librosa's values", () => {
    expect([60, 110, 220, 440].map((f) => melOf(f, "slaney"))).toEqual([0.9, 1.65, 3.3, 6.6]);
    expect([1, 2, 3, 4, 5].map((m) => Math.round(hertzOf(m, "slaney") * 1000))).toEqual([
      66667, 133333, 200000, 266667, 333333,
    ]);
    expect(melOf(1000, "slaney")).toBe(15);
    expect(melOf(6400, "slaney")).toBeCloseTo(42, 12);
  });

  it("has HTK's value of 1000 Hz", () => {
    expect(melOf(1000, "htk")).toBeCloseTo(999.99, 2);
  });

  it.each(scales)("%s: goes there and back", (scale) => {
    for (const hertz of [0, 1, 100, 999, 1000, 1001, 4000, 8000, 22050]) {
      expect(hertzOf(melOf(hertz, scale), scale)).toBeCloseTo(hertz, 8);
    }
  });
});

describe("mel weights", () => {
  it("are librosa.filters.mel(sr=22050, n_fft=2048): 0, 0.016, ...", () => {
    const row = melWeights({ rate: 22050, size: 2048, filters: 128, scale: "slaney" })[0] ?? [];
    expect(row.slice(0, 2).map((w) => Math.round(w * 1000) / 1000)).toEqual([0, 0.016]);
  });

  it("htk: of neighbours add up to 1 between the first and the last middle", () => {
    const rows = melWeights({ rate: 16000, size: 512, filters: 40, low: 20, high: 4000, scale: "htk" });
    for (let bin = 4; bin < 120; bin++) {
      expect(rows.reduce((sum, row) => sum + (row[bin] ?? NaN), 0)).toBeCloseTo(1, 12);
    }
  });

  it("slaney: have area 1", () => {
    const rows = melWeights({ rate: 16000, size: 8192, filters: 20, scale: "slaney" });
    for (const row of rows) expect(row.reduce((a, b) => a + b) * (16000 / 8192)).toBeCloseTo(1, 2);
  });
});

describe("MelFilterBank", () => {
  it.each(banks)("$scale, $filters filters, $size points: is the product of the matrix", (options) => {
    const random = randomNumbers(5);
    const spectrum = Float32Array.from({ length: options.size / 2 + 1 }, () => random() ** 4 * 1000);
    const rows = melWeights(options);
    const out = new Float32Array(options.filters + 1);
    new MelFilterBank(options).run(spectrum, out);
    rows.forEach((row, i) => {
      const exact = row.reduce((sum, w, bin) => sum + w * (spectrum[bin] ?? NaN), 0);
      const bins = row.filter((w) => w !== 0).length;
      expect(Math.abs((out[i] ?? NaN) - exact) / exact).toBeLessThan((bins + 1) * 2 ** -24);
    });
    expect(out[options.filters]).toBe(0);
  });

  it("refuses filters that no bin hits", () => {
    expect(() => new MelFilterBank({ rate: 16000, size: 128, filters: 80 })).toThrow("narrower");
  });

  it("traps when an array is too short", () => {
    const bank = new MelFilterBank({ rate: 100, size: 64, filters: 8 });
    expect(() => bank.run(new Float32Array(33), new Float32Array(7))).toThrow();
    expect(() => bank.run(new Float32Array(20), new Float32Array(8))).toThrow();
  });
});

describe("LogMel", () => {
  const samples = ((): Float32Array => {
    const random = randomNumbers(6);
    return Float32Array.from({ length: 700 }, (_, n) => Math.sin(n * 0.4) + 0.3 * random());
  })();

  it.each([true, false])("is window, transform, filters, logarithm (magnitude: %s)", (magnitude) => {
    const options = {
      rate: 16000,
      size: 512,
      filters: 40,
      low: 20,
      high: 4000,
      frame: 480,
      magnitude,
    } as const;
    const out = new Float32Array(40);
    const logMel = new LogMel(options);
    // Twice: the second run is not disturbed by the first.
    logMel.run(samples, 0, out);
    logMel.run(samples, 150, out);
    const powers = Array.from({ length: 257 }, (_, k) => {
      let re = 0;
      let im = 0;
      for (let n = 0; n < 480; n++) {
        const x = (samples[150 + n] ?? NaN) * Math.sin((Math.PI * n) / 480) ** 2;
        re += x * Math.cos((2 * Math.PI * k * n) / 512);
        im -= x * Math.sin((2 * Math.PI * k * n) / 512);
      }
      return re * re + im * im;
    });
    melWeights(options).forEach((row, i) => {
      const sum = row.reduce(
        (s, w, k) => s + w * (magnitude ? Math.sqrt(powers[k] ?? NaN) : (powers[k] ?? NaN)),
        0,
      );
      expect(Math.abs((out[i] ?? NaN) - Math.log(Math.max(1e-6, sum)))).toBeLessThan(1e-4);
    });
  });

  it("counts silence as the floor", () => {
    const out = new Float32Array(10);
    new LogMel({ rate: 100, size: 64, filters: 10, floor: 1e-3 }).run(new Float32Array(64), 0, out);
    expect([...out]).toEqual(Array.from({ length: 10 }, () => Math.fround(Math.log(1e-3))));
  });

  it("refuses a frame that is longer than the transform, and traps behind the samples", () => {
    expect(() => new LogMel({ rate: 100, size: 64, filters: 8, frame: 65 })).toThrow("a frame has at most");
    const logMel = new LogMel({ rate: 100, size: 64, filters: 8 });
    expect(() => logMel.run(new Float32Array(100), 37, new Float32Array(8))).toThrow();
  });
});
