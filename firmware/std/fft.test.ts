/** The transforms against sums in double precision; windows and spectra against their formulas. */
import { describe, expect, it } from "vitest";
import { randomNumbers } from "../../test/support/singles.js";
import { RealFftI16 } from "./fft-i16.js";
import { RealFft } from "./fft.js";
import { magnitudeSpectrum, peakBin, powerSpectrum, powerSpectrumI16 } from "./spectrum.js";
import { Window, WindowI16, type WindowShape } from "./window.js";

/** X[k] of the definition, 0 <= k <= size / 2. */
function exactSpectrum(samples: ArrayLike<number>): { re: number; im: number }[] {
  const size = samples.length;
  const cos = Array.from({ length: size }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  return Array.from({ length: size / 2 + 1 }, (_, k) => {
    let re = 0;
    let im = 0;
    for (let n = 0; n < size; n++) {
      re += (samples[n] ?? 0) * (cos[(k * n) % size] ?? 0);
      im += (samples[n] ?? 0) * (cos[(k * n + size / 4) % size] ?? 0);
    }
    return { re, im };
  });
}

/** As RealFft and RealFftI16 leave it. */
function packed(spectrum: readonly { re: number; im: number }[]): number[] {
  const [first, ...others] = spectrum;
  const last = others.pop();
  return [first?.re ?? NaN, last?.re ?? NaN, ...others.flatMap(({ re, im }) => [re, im])];
}

function largestError(values: ArrayLike<number>, exact: readonly number[]): number {
  return Math.max(...exact.map((x, i) => Math.abs(x - (values[i] ?? NaN))));
}

const sizes = [8, 16, 32, 64, 128, 256, 512, 1024];

/** Full-scale signals, -1 to 1: noise, constants, alternating signs, square waves, an impulse, a sine between two bins. */
function signals(size: number): Record<string, number[]> {
  const random = randomNumbers(size);
  const make = (f: (n: number) => number): number[] => Array.from({ length: size }, (_, n) => f(n));
  return {
    noise: make(() => 2 * random() - 1),
    signs: make(() => (random() < 0.5 ? -1 : 1)),
    constant: make(() => -1),
    alternating: make((n) => (n % 2 === 0 ? 1 : -1)),
    square: make((n) => ((n * 2) % size < size / 2 ? 1 : -1)),
    "square of 8": make((n) => (n & 4 ? 1 : -1)),
    impulse: make((n) => (n === 3 ? 1 : 0)),
    sine: make((n) => Math.sin((2 * Math.PI * 2.3 * n) / size)),
  };
}

const clamped = (x: number): number => Math.max(-32768, Math.min(32767, x));

describe("RealFft", () => {
  it.each([...sizes, 2048])(
    "of %i samples errs by less than 0.5 * 2^-24 log2(size) of the largest value",
    (size) => {
      const fft = new RealFft(size);
      for (const [name, signal] of Object.entries(signals(size))) {
        const data = Float32Array.from(signal);
        const exact = packed(exactSpectrum(data));
        fft.run(data);
        const unit = 2 ** -24 * Math.log2(size) * Math.max(...exact.map(Math.abs));
        expect([name, largestError(data, exact) < 0.5 * unit]).toEqual([name, true]);
      }
    },
  );

  it("is made for powers of two from 8 to 8192", () => {
    for (const size of [0, 1, 4, 12, 1000, 16384, -8])
      expect(() => new RealFft(size)).toThrow("a power of two");
    expect(new RealFft(8192).size).toBe(8192);
  });

  it("traps when the samples are too few", () => {
    expect(() => new RealFft(16).run(new Float32Array(15))).toThrow();
  });
});

describe("RealFftI16", () => {
  it.each([...sizes, 2048])("of %i samples is the spectrum / size within 2.5", (size) => {
    const fft = new RealFftI16(size);
    for (const [name, signal] of Object.entries(signals(size))) {
      for (const scale of [32768, 1000]) {
        const data = Int16Array.from(signal, (x) => clamped(Math.round(x * scale)));
        const exact = packed(exactSpectrum(data)).map((x) => clamped(x / size));
        fft.run(data);
        expect([name, scale, largestError(data, exact) < 2.5]).toEqual([name, scale, true]);
      }
    }
  });

  it("overflows for no samples: whole range of phases of a square wave", () => {
    const fft = new RealFftI16(64);
    for (let phase = 0; phase < 64; phase++) {
      const data = Int16Array.from({ length: 64 }, (_, n) => ((n + phase) % 64 < 32 ? 32767 : -32768));
      const exact = packed(exactSpectrum(data)).map((x) => x / 64);
      fft.run(data);
      expect(largestError(data, exact)).toBeLessThan(2.5);
    }
  });
});

describe("windows", () => {
  const formulas: Record<WindowShape, (t: number) => number> = {
    hann: (t) => Math.sin(Math.PI * t) ** 2,
    hamming: (t) => 0.54 - 0.46 * Math.cos(2 * Math.PI * t),
    blackman: (t) => 0.42 - 0.5 * Math.cos(2 * Math.PI * t) + 0.08 * Math.cos(4 * Math.PI * t),
    rectangular: () => 1,
  };
  const cases = (Object.keys(formulas) as WindowShape[]).flatMap((shape) =>
    [true, false].map((periodic) => ({ shape, periodic })),
  );

  it.each(cases)("$shape, periodic: $periodic", ({ shape, periodic }) => {
    for (const size of [2, 7, 64, 480]) {
      const window = new Window(shape, size, periodic);
      const exact = Array.from({ length: size }, (_, n) => formulas[shape](n / (periodic ? size : size - 1)));
      expect(largestError(window.coefficients, exact)).toBeLessThan(2 ** -25 + 1e-15);
      expect(window.sum).toBeCloseTo(
        exact.reduce((a, b) => a + b),
        4,
      );
      expect(window.squares).toBeCloseTo(
        exact.reduce((a, b) => a + b * b, 0),
        4,
      );

      const data = Float32Array.from(exact, (_, n) => n - 3);
      window.run(data);
      expect(
        largestError(
          data,
          exact.map((c, n) => c * (n - 3)),
        ),
      ).toBeLessThanOrEqual(size * 2 ** -24);

      const fixed = Int16Array.from(exact, (_, n) => (n % 2 === 0 ? -32768 : 32767));
      const before = [...fixed];
      new WindowI16(shape, size, periodic).run(fixed);
      expect(
        largestError(
          fixed,
          exact.map((c, n) => c * (before[n] ?? 0)),
        ),
      ).toBeLessThan(1.51);
    }
  });

  it("of one sample is 1", () => {
    for (const shape of ["hann", "hamming", "blackman"] as const) {
      expect(new Window(shape, 1).coefficients[0]).toBeCloseTo(1, 6);
    }
  });

  it("traps when the samples are too few", () => {
    expect(() => new Window("hann", 8).run(new Float32Array(7))).toThrow();
  });
});

describe("spectra", () => {
  const samples = signals(64).noise ?? [];
  const exact = exactSpectrum(Float32Array.from(samples));
  const transformed = Float32Array.from(samples);
  new RealFft(64).run(transformed);

  it("have size / 2 + 1 powers and magnitudes", () => {
    const power = new Float32Array(34);
    const magnitude = new Float32Array(34);
    powerSpectrum(transformed, 64, power);
    magnitudeSpectrum(transformed, 64, magnitude);
    const powers = exact.map(({ re, im }) => re * re + im * im);
    expect(largestError(power, powers)).toBeLessThan(1e-5 * Math.max(...powers));
    expect(largestError(magnitude, powers.map(Math.sqrt))).toBeLessThan(1e-6 * Math.max(...powers));
    expect([power[33], magnitude[33]]).toEqual([0, 0]);
    expect(() => powerSpectrum(transformed, 64, new Float32Array(32))).toThrow();
    const inPlace = transformed.slice();
    powerSpectrum(inPlace, 64, inPlace);
    expect(inPlace.slice(0, 33)).toEqual(power.slice(0, 33));
  });

  it("obey Parseval's theorem", () => {
    const power = new Float32Array(33);
    powerSpectrum(transformed, 64, power);
    const twice = power.reduce((sum, p) => sum + 2 * p, 0) - (power[0] ?? 0) - (power[32] ?? 0);
    expect(twice / 64).toBeCloseTo(
      samples.reduce((sum, x) => sum + x * x, 0),
      4,
    );
  });

  it("of fixed-point values are exact up to -32768", () => {
    const power = new Float32Array(5);
    powerSpectrumI16(Int16Array.of(-32768, 3, -32768, -32768, 5, -7, 32767, 1), 8, power);
    expect([...power]).toEqual([2 ** 30, 2 ** 31, 74, Math.fround(32767 ** 2 + 1), 9]);
  });

  it("give the bin of the largest value", () => {
    const tone = Float32Array.from({ length: 64 }, (_, n) => 3 + Math.cos((2 * Math.PI * 9 * n) / 64));
    new RealFft(64).run(tone);
    const power = new Float32Array(33);
    powerSpectrum(tone, 64, power);
    expect([peakBin(power, 0, 33), peakBin(power, 1, 33), peakBin(power, 5, 5)]).toEqual([0, 9, -1]);
  });
});
