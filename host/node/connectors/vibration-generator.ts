/**
 * Accelerometer of a small rotating machine as an endless stream: runtime-c/port/posix/sensor-vibration.c in TypeScript,
 * line by line, so that a replayed machine is the machine of the simulated C node with the same seed. Physics and sources
 * stand in models/vibration/generator.ts; a change there belongs here too.
 */

const twoPi = 6.283185307179586;
const standardGravity = 9.80665;
const sensorStep = 1 / 8192; // g

export const vibrationKinds = ["healthy", "imbalance", "bearing"] as const;

/** xoshiro128**, seeded by splitmix32 as in C; `Random` of models/ draws other numbers from the same seed. */
export class StreamRandom {
  private readonly s = new Uint32Array(4);
  private spare: number | undefined;

  constructor(seed: number) {
    let state = Math.imul(seed, 0x9e3779b1) >>> 0;
    for (let i = 0; i < 4; i++) {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.s[i] = z ^ (z >>> 15);
    }
    this.s[3] = this.at(3) | 1;
  }

  private at(i: number): number {
    return this.s[i] ?? 0;
  }

  private next(): number {
    const five = Math.imul(this.at(1), 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9) >>> 0;
    const shifted = this.at(1) << 9;
    this.s[2] = this.at(2) ^ this.at(0);
    this.s[3] = this.at(3) ^ this.at(1);
    this.s[1] = this.at(1) ^ this.at(2);
    this.s[0] = this.at(0) ^ this.at(3);
    this.s[2] = this.at(2) ^ shifted;
    this.s[3] = (this.at(3) << 11) | (this.at(3) >>> 21);
    return result;
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * (this.next() / 4294967296);
  }

  logUniform(low: number, high: number): number {
    return low * Math.exp(this.uniform(0, 1) * Math.log(high / low));
  }

  /** Mean 0, deviation 1. */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(0, 1)));
    const angle = this.uniform(0, twoPi);
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Uniform over all orientations: a random unit quaternion. */
  rotation(): readonly (readonly [number, number, number])[] {
    const u = this.uniform(0, 1);
    const v = this.uniform(0, twoPi);
    const s = this.uniform(0, twoPi);
    const x = Math.sqrt(1 - u) * Math.sin(v);
    const y = Math.sqrt(1 - u) * Math.cos(v);
    const z = Math.sqrt(u) * Math.sin(s);
    const w = Math.sqrt(u) * Math.cos(s);
    return [
      [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
      [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
      [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ];
  }
}

/** The strikes of a damaged bearing: all ring together, as one decaying rotation in the complex plane. */
class Ringing {
  private re = 0;
  private im = 0;

  constructor(
    private readonly random: StreamRandom,
    private readonly interval: number,
    private readonly height: number,
    private readonly slip: number,
    private untilStrike: number,
    private readonly decay: number,
    private readonly damped: number,
  ) {}

  next(period: number): number {
    const factor = Math.exp(-this.decay * period);
    const cos = Math.cos(this.damped * period);
    const sin = Math.sin(this.damped * period);
    let re = factor * (this.re * cos - this.im * sin);
    let im = factor * (this.re * sin + this.im * cos);
    this.untilStrike -= period;
    while (this.untilStrike < 0) {
      const since = -this.untilStrike;
      const height = this.height * (1 + 0.1 * this.random.normal()) * Math.exp(-this.decay * since);
      re += height * Math.cos(this.damped * since);
      im += height * Math.sin(this.damped * since);
      this.untilStrike += this.interval * (1 + this.slip * this.random.normal());
    }
    this.re = re;
    this.im = im;
    return im;
  }
}

/** x, y, z in g at each call; `period` is the time between frames in seconds. */
export function vibrationStream(label: 0 | 1 | 2, seed: number): (period: number) => number[] {
  // The order of the draws is that of C.
  const random = new StreamRandom(seed);
  const shaft = random.uniform(24, 60);
  const omega = twoPi * shaft;
  let angle = random.uniform(0, twoPi);
  const massRatio = random.uniform(0.3, 0.5);
  const quality = label === 1 ? random.logUniform(40, 160) : random.logUniform(0.4, 6.3);
  const imbalance = (massRatio * (quality / 1000) * omega) / standardGravity;
  const second = random.uniform(0, 0.06);
  const third = random.uniform(0, 0.03);
  const secondPhase = random.uniform(0, twoPi);
  const thirdPhase = random.uniform(0, twoPi);
  const axial = random.uniform(0.1, 0.6);
  const noise = Math.hypot(90e-6 * Math.sqrt(800), random.logUniform(0.005, 0.05));
  const interval = 1 / (4.5 * shaft * (1 - 7.94 / 39.04));
  const strikeHeight = random.logUniform(0.3, 2.5);
  const slip = random.uniform(0.01, 0.02);
  const untilStrike = random.uniform(0, interval);
  const resonance = twoPi * random.uniform(350, 700);
  const damping = random.uniform(0.03, 0.08);
  const damped = resonance * Math.sqrt(1 - damping * damping);
  const ringing = new Ringing(random, interval, strikeHeight, slip, untilStrike, damping * resonance, damped);
  const direction = random.uniform(0, twoPi);
  const along = [Math.cos(direction), Math.sin(direction), random.uniform(-0.3, 0.3)];
  const rotation = random.rotation();
  const gravity = random.rotation()[2] ?? [0, 0, 1];

  return (period) => {
    angle = (angle + omega * period) % twoPi;
    const twice = second * Math.sin(2 * angle + secondPhase);
    const thrice = third * Math.sin(3 * angle + thirdPhase);
    const a = [
      imbalance * Math.cos(angle) + twice + thrice,
      imbalance * Math.sin(angle) + 0.5 * twice - thrice,
      0.1 * imbalance * Math.cos(angle) + axial * twice,
    ];
    const strike = label === 2 ? ringing.next(period) : 0;
    const [x = 0, y = 0, z = 0] = a.map(
      (value, i) => value + (strike * (along[i] ?? 0) + (gravity[i] ?? 0) + noise * random.normal()),
    );
    return rotation.map((row) => {
      const g = row[0] * x + row[1] * y + row[2] * z;
      return Math.min(32767, Math.max(-32768, Math.floor(g / sensorStep + 0.5))) * sensorStep;
    });
  };
}
