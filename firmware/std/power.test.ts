/** The two-argument f32 functions, powF32 and atan2F32, against the host's f64 ones. */
import { describe, expect, it } from "vitest";
import {
  errorInUlp,
  randomNumbers,
  singleOfBits,
  specialSingles,
  Worst,
} from "../../test/support/singles.js";
import { powF32 } from "./power.js";
import { atan2F32 } from "./trigonometry.js";

const samples = 50_000;

/** Any bit pattern. */
function anySingle(random: () => number): number {
  return singleOfBits(Math.floor(random() * 2 ** 32));
}

describe("powF32", () => {
  it("is within 1.1 ulp for arguments whose power is in range", () => {
    const random = randomNumbers(1);
    const worst = new Worst();
    for (let i = 0; i < samples; i++) {
      const x = Math.abs(anySingle(random));
      if (!(x > 0 && x < Infinity) || x === 1) continue;
      const y = Math.fround((random() * 280 - 151) / Math.log2(x));
      worst.take(powF32(x, y), x ** y, x, y);
    }
    expect(worst.above(1.1)).toBe("");
    expect(worst.error).toBeGreaterThan(0.5);
  });

  it("is within 1.1 ulp for bases near 1 and large exponents", () => {
    const random = randomNumbers(2);
    const worst = new Worst();
    for (let i = 0; i < samples; i++) {
      const x = Math.fround(1 + (random() - 0.5) * 2 ** -Math.floor(random() * 20));
      if (x === 1) continue;
      const y = Math.fround((random() * 280 - 151) / Math.log2(x));
      worst.take(powF32(x, y), x ** y, x, y);
    }
    expect(worst.above(1.1)).toBe("");
  });

  it("is within 1.1 ulp for negative bases, and for any bits", () => {
    const random = randomNumbers(3);
    const worst = new Worst();
    for (let i = 0; i < samples; i++) {
      const x = Math.fround(-8 * random());
      const y = Math.floor(random() * 60) - 30;
      worst.take(powF32(x, y), x ** y, x, y);
      const [a, b] = [anySingle(random), anySingle(random)];
      worst.take(powF32(a, b), a ** b, a, b);
    }
    expect(worst.above(1.1)).toBe("");
  });

  it("is exact where the power of integers is a single", () => {
    for (let i = 1; i <= 4096; i++) expect(powF32(i, 2)).toBe(i * i);
    for (let i = 1; i <= 256; i++) expect(powF32(i, 3)).toBe(i * i * i);
    for (let n = 0; n <= 10; n++) expect(powF32(10, n)).toBe(10 ** n);
    for (let n = -149; n <= 127; n++) expect(powF32(2, n)).toBe(2 ** n);
    for (let i = 1; i <= 2000; i++) expect(powF32(i * i, 0.5)).toBe(i);
  });

  it("has ECMAScript's special values", () => {
    const exponents = [
      ...specialSingles,
      1.5,
      -1.5,
      -0.5,
      5,
      -5,
      16777215,
      -16777215,
      8388607.5,
      8589934592,
      1e10,
      -1e10,
    ];
    const wrong: string[] = [];
    for (const x of [...specialSingles, 0.1, -0.1, -10]) {
      for (const y of exponents.map(Math.fround)) {
        const exact = Math.fround(x) ** y;
        const value = powF32(Math.fround(x), y);
        if (!(errorInUlp(value, exact) < 1)) wrong.push(`${x} ** ${y}: ${value}, not ${exact}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("atan2F32", () => {
  it("is within 1.6 ulp", () => {
    const random = randomNumbers(4);
    const worst = new Worst();
    for (let i = 0; i < samples; i++) {
      const [y, x] = [anySingle(random), anySingle(random)];
      worst.take(atan2F32(y, x), Math.atan2(y, x), y, x);
      const [b, a] = [Math.fround(random() * 2 - 1), Math.fround(random() * 2 - 1)];
      worst.take(atan2F32(b, a), Math.atan2(b, a), b, a);
      const [tinyY, tinyX] = [Math.fround(b * 2 ** -140), Math.fround(a * 2 ** -138)];
      worst.take(atan2F32(tinyY, tinyX), Math.atan2(tinyY, tinyX), tinyY, tinyX);
      const [hugeY, hugeX] = [Math.fround(b * 3.4e38), Math.fround(a * 3.4e38)];
      worst.take(atan2F32(hugeY, hugeX), Math.atan2(hugeY, hugeX), hugeY, hugeX);
    }
    expect(worst.above(1.6)).toBe("");
    expect(worst.error).toBeGreaterThan(0.5);
  });

  it("has ECMAScript's special values", () => {
    const wrong: string[] = [];
    for (const y of specialSingles) {
      for (const x of specialSingles) {
        if (!(errorInUlp(atan2F32(y, x), Math.atan2(y, x)) < 1.6))
          wrong.push(`${y}, ${x}: ${atan2F32(y, x)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
