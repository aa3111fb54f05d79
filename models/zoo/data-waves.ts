/**
 * Synthetic one-dimensional data of the zoo: wave forms, gestures, spectra, and what a regression or an autoencoder
 * learns from. Each function makes one sample from a stream of random numbers; the same seed gives the same data.
 */
import type { Random } from "../vibration/random.js";

/** One input and what a model should say about it: a class, or numbers. */
export interface Sample {
  readonly input: Float32Array;
  readonly target: number | Float32Array;
}

/** Makes sample number `index`, so that classes come in turn. */
export type MakeSample = (random: Random, index: number) => Sample;

export const waveLabels = ["sine", "square", "chirp", "pulses", "noise"] as const;
export const waveLength = 96;

/** Five forms of waves, [96, 1]: random frequency, phase and amplitude, an offset, noise of up to a fifth. */
export const makeWave: MakeSample = (random, index) => {
  const target = index % waveLabels.length;
  const frequency = random.logUniform(3, 9);
  const phase = random.uniform();
  const amplitude = random.uniform(0.6, 1.2);
  const noise = random.uniform(0.02, 0.2);
  const offset = random.uniform(-0.2, 0.2);
  const sweep = random.uniform(1.2, 2) * (random.uniform() < 0.5 ? 1 : -0.6);
  const input = Float32Array.from({ length: waveLength }, (_, i) => {
    const t = i / waveLength;
    const cycles = frequency * t + phase;
    const position = cycles - Math.floor(cycles);
    const forms = [
      Math.sin(2 * Math.PI * cycles),
      position < 0.5 ? 0.9 : -0.9,
      Math.sin(2 * Math.PI * (phase + frequency * t * (1 + sweep * t))),
      position < 0.12 ? 1.6 : -0.15,
      0.7 * random.normal(),
    ];
    return offset + amplitude * (forms[target] ?? 0) + noise * random.normal();
  });
  return { input, target };
};

export const gestureLabels = ["still", "circle", "shake", "tap", "tilt"] as const;
export const gestureLength = 64;

/** Accelerations of a hand, [64, 3] or [64, 1, 3], in g: gravity from any direction and a gesture on top of it. */
export const makeGesture: MakeSample = (random, index) => {
  const target = index % gestureLabels.length;
  const up = direction(random);
  const along = direction(random);
  const across = direction(random);
  const rate = random.uniform(1.2, 2.2);
  const phase = random.uniform(0, 2 * Math.PI);
  const strength = random.uniform(0.7, 1);
  const start = random.uniform(12, 44);
  const noise = random.uniform(0.01, 0.03);
  const input = new Float32Array(gestureLength * 3);
  for (let i = 0; i < gestureLength; i++) {
    const t = i / gestureLength;
    const angle = 2 * Math.PI * rate * t + phase;
    const tap = i > start ? Math.exp(-(i - start) / 3) * Math.cos(1.9 * (i - start)) : 0;
    const lean = 1 / (1 + Math.exp(-(i - start) / 3));
    for (let axis = 0; axis < 3; axis++) {
      const a = along[axis] ?? 0;
      const b = across[axis] ?? 0;
      const g = up[axis] ?? 0;
      const moves = [
        0,
        strength * 0.6 * (Math.cos(angle) * a + Math.sin(angle) * b),
        strength * 1.1 * Math.sin(3.2 * angle) * a,
        strength * 2 * tap * a,
        lean * (a - g) * strength,
      ];
      input[i * 3 + axis] = g + (moves[target] ?? 0) + noise * random.normal();
    }
  }
  return { input, target };
};

/** A random unit vector. */
function direction(random: Random): readonly number[] {
  const values = [random.normal(), random.normal(), random.normal()];
  const length = Math.hypot(...values) || 1;
  return values.map((value) => value / length);
}

export const soundLabels = ["rising", "falling", "steady", "two tones", "burst", "hiss"] as const;
export const frames = 25;
export const bands = 13;

/** Spectrograms, [25 frames, 13 bands, 1]: a ridge that moves or not, two of them, a burst, noise; in log units. */
export const makeSpectrum: MakeSample = (random, index) => {
  const target = index % soundLabels.length;
  const low = random.uniform(1.5, 4.5);
  const high = low + random.uniform(4, 6.5);
  const loud = random.uniform(1.2, 2.2);
  const begin = random.uniform(0, 6);
  const end = random.uniform(18, 25);
  const floor = random.uniform(0.1, 0.35);
  const width = random.uniform(0.7, 1.2);
  const input = new Float32Array(frames * bands);
  for (let f = 0; f < frames; f++) {
    const on = f >= begin && f < end ? 1 : 0;
    const t = Math.min(1, Math.max(0, (f - begin) / (end - begin)));
    for (let b = 0; b < bands; b++) {
      const ridge = (centre: number): number => Math.exp(-(((b - centre) / width) ** 2));
      const shapes = [
        on * ridge(low + (high - low) * t),
        on * ridge(high - (high - low) * t),
        on * ridge((low + high) / 2),
        on * (ridge(low) + ridge(high)),
        Math.exp(-(((f - begin - 6) / 1.5) ** 2)),
        on * random.uniform(0.2, 0.9),
      ];
      input[f * bands + b] = loud * (shapes[target] ?? 0) + floor * random.normal();
    }
  }
  return { input, target };
};

export const tonesLength = 64;

/** A tone in noise, [64, 1], and its frequency (cycles per window / 8) and amplitude as targets. */
export const makeTone: MakeSample = (random) => {
  const frequency = random.uniform(2, 8);
  const amplitude = random.uniform(0.3, 1);
  const phase = random.uniform();
  const input = Float32Array.from({ length: tonesLength }, (_, i) => {
    return (
      amplitude * Math.sin(2 * Math.PI * ((frequency * i) / tonesLength + phase)) + 0.05 * random.normal()
    );
  });
  return { input, target: Float32Array.of(frequency / 8, amplitude) };
};

export const machineBands = 32;

/** Spectra of a machine, [32]: three factors (speed, load, wear) make peaks, harmonics and a floor. Target: the input. */
export const makeMachine: MakeSample = (random) => {
  const speed = random.uniform(3, 8);
  const load = random.uniform(0.3, 1);
  const wear = random.uniform();
  const input = Float32Array.from({ length: machineBands }, (_, b) => {
    const peak = (centre: number, width: number): number => Math.exp(-(((b - centre) / width) ** 2));
    const harmonics = load * (peak(speed, 1.5) + 0.7 * peak(2 * speed, 1.7) + 0.4 * peak(3 * speed, 2));
    return harmonics + wear * (0.3 + 0.5 * peak(26, 3)) + 0.03 * random.normal();
  });
  return { input, target: input };
};

export const stationLabels = ["calm", "storm", "frost", "heat"] as const;
export const readings = 10;

/** Readings of a weather station, [10], normalised: classes by rules that cross several of them. */
export const makeStation: MakeSample = (random) => {
  const values = Float32Array.from({ length: readings }, () => random.uniform(-1, 1));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
  const wind = a + 0.8 * b * c;
  const warm = d - e * e + 0.5 * f;
  const target = wind > 0.35 ? 1 : warm < -0.45 ? 2 : warm > 0.15 ? 3 : 0;
  return { input: values.map((value) => value + 0.01 * random.normal()), target };
};
