/**
 * Synthetic accelerometer windows of a small rotating machine: healthy, unbalanced, or with a damaged bearing.
 *
 * Signal on the machine's housing, in g, in the machine's frame (x, y across the shaft, z along it):
 *
 *   a(t) = imbalance(t) + harmonics(t) + bearing(t) + noise(t) + gravity,  then rotated by a random orientation.
 *
 * - Imbalance. A rotor of mass m in a machine of mass M that is mounted softly moves the whole by e*m/M, e being the
 *   eccentricity; so the housing accelerates by (m/M) * e * w^2, turning with the shaft. Balance quality is
 *   stated as G = e*w in mm/s (ISO 21940-11, formerly ISO 1940-1, table 1), hence amplitude = (m/M) * G * w / 9.80665.
 *   Healthy machines are G 0.4 to G 6.3 (fans, pumps, electric motors); unbalanced ones G 40 to G 160.
 * - Harmonics at 2 and 3 times the shaft's frequency from misalignment and looseness, with a share along the shaft
 *   (Randall, "Vibration-based Condition Monitoring", 2nd ed., Wiley 2021, section 2.2).
 * - Bearing. A pit in the outer race is struck BPFO = n/2 * f * (1 - d/D * cos(phi)) times a second; each strike rings
 *   a resonance of the housing that decays: A * exp(-zeta*w0*t) * sin(w0*sqrt(1-zeta^2)*t) (McFadden and Smith, "Model
 *   for the vibration produced by a single point defect in a rolling element bearing", J. Sound and Vibration
 *   96(1), 1984). Rolling elements slip, so intervals vary by 1 to 2 % (Randall and Antoni, "Rolling element
 *   bearing diagnostics: a tutorial", Mech. Systems and Signal Processing 25(2), 2011, section 3). Geometry is
 *   that of a 6205 bearing: n = 9, d = 7.94 mm, D = 39.04 mm, phi = 0, so BPFO = 3.585 f.
 * - Noise: white, of the sensor (90 ug/sqrt(Hz)) and of the process.
 * - Sensor: +-4 g in 16 bit; one step is 1/8192 g (0.122 mg), and it saturates.
 *
 * What it is not: a model of one real machine. There is no gearbox, no load change within a window, no aliasing of
 * content above 800 Hz (real sensors filter it). Accuracy measured on this data says that the chain works, not
 * how well a classifier does in the field.
 */
import { Random } from "./random.js";

/** Class names; the index is the label. */
export const labels = ["healthy", "imbalance", "bearing"] as const;

/** Samples in one window (80 ms). */
export const windowLength = 128;
/** x, y, z. */
export const axes = 3;
/** Samples per second. */
export const sampleRate = 1600;
/** g per step of the sensor. */
export const sensorStep = 1 / 8192;

const standardGravity = 9.80665;
const bearing = { elements: 9, ballDiameter: 7.94, pitchDiameter: 39.04 } as const;

/** Windows with labels; `windows` holds count * windowLength * axes steps of the sensor: time-major, then x, y, z. */
export interface Dataset {
  readonly windows: Int16Array;
  readonly labels: Uint8Array;
  readonly count: number;
}

type Vector = [number, number, number];
type Rotation = readonly [Vector, Vector, Vector];

/** A rotation uniform over all orientations: a random unit quaternion (Shoemake, Graphics Gems III, 1992). */
function randomRotation(random: Random): Rotation {
  const u = random.uniform();
  const v = 2 * Math.PI * random.uniform();
  const s = 2 * Math.PI * random.uniform();
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

/** Adds the train of decaying impulses of an outer-race defect to `signal`, along a fixed direction across the shaft. */
function addBearing(signal: Vector[], shaft: number, random: Random): void {
  const { elements, ballDiameter, pitchDiameter } = bearing;
  const frequency = (elements / 2) * shaft * (1 - ballDiameter / pitchDiameter);
  const amplitude = random.logUniform(0.3, 2.5);
  const slip = random.uniform(0.01, 0.02);
  const resonance = 2 * Math.PI * random.uniform(350, 700);
  const damping = random.uniform(0.03, 0.08);
  const damped = resonance * Math.sqrt(1 - damping * damping);
  const direction = random.uniform(0, 2 * Math.PI);
  const along: Vector = [Math.cos(direction), Math.sin(direction), random.uniform(-0.3, 0.3)];
  const duration = windowLength / sampleRate;
  // Starts early enough for the strikes before the window to have rung out or still ring.
  let strike = -0.05 - random.uniform() / frequency;
  while (strike < duration) {
    const height = amplitude * (1 + 0.1 * random.normal());
    for (let i = Math.max(0, Math.ceil(strike * sampleRate)); i < windowLength; i++) {
      const t = i / sampleRate - strike;
      const envelope = Math.exp(-damping * resonance * t);
      if (envelope < 1e-4) {
        break;
      }
      const value = height * envelope * Math.sin(damped * t);
      const sample = signal[i];
      if (sample !== undefined) {
        sample[0] += value * along[0];
        sample[1] += value * along[1];
        sample[2] += value * along[2];
      }
    }
    strike += (1 / frequency) * (1 + slip * random.normal());
  }
}

/** One window of class `label` in g: `windowLength` vectors in the sensor's frame, before it is sampled. */
function machineSignal(label: number, random: Random): Vector[] {
  const shaft = random.uniform(24, 60);
  const omega = 2 * Math.PI * shaft;
  const phase = random.uniform(0, 2 * Math.PI);
  const massRatio = random.uniform(0.3, 0.5);
  const quality = label === 1 ? random.logUniform(40, 160) : random.logUniform(0.4, 6.3);
  const imbalance = (massRatio * (quality / 1000) * omega) / standardGravity;
  const second = random.uniform(0, 0.06);
  const third = random.uniform(0, 0.03);
  const secondPhase = random.uniform(0, 2 * Math.PI);
  const thirdPhase = random.uniform(0, 2 * Math.PI);
  const axial = random.uniform(0.1, 0.6);
  const noise = Math.hypot(90e-6 * Math.sqrt(sampleRate / 2), random.logUniform(0.005, 0.05));

  const signal: Vector[] = [];
  for (let i = 0; i < windowLength; i++) {
    const angle = (omega * i) / sampleRate + phase;
    const double = second * Math.sin(2 * angle + secondPhase);
    const triple = third * Math.sin(3 * angle + thirdPhase);
    signal.push([
      imbalance * Math.cos(angle) + double + triple,
      imbalance * Math.sin(angle) + 0.5 * double - triple,
      0.1 * imbalance * Math.cos(angle) + axial * double,
    ]);
  }
  if (label === 2) {
    addBearing(signal, shaft, random);
  }
  const rotation = randomRotation(random);
  const gravity = randomRotation(random)[2];
  return signal.map((sample): Vector => {
    const [x, y, z] = sample.map((value, axis) => value + (gravity[axis] ?? 0) + noise * random.normal());
    const at = (row: Vector): number => row[0] * (x ?? 0) + row[1] * (y ?? 0) + row[2] * (z ?? 0);
    return [at(rotation[0]), at(rotation[1]), at(rotation[2])];
  });
}

/** Window `index` of the data set `seed`, as steps of the sensor: [windowLength, axes], saturating at +-4 g. */
export function generateWindow(seed: number, index: number, label: number): Int16Array {
  const random = new Random(seed, index);
  const out = new Int16Array(windowLength * axes);
  machineSignal(label, random).forEach((sample, i) => {
    sample.forEach((value, axis) => {
      const steps = Math.round(value / sensorStep);
      out[i * axes + axis] = Math.min(32767, Math.max(-32768, steps));
    });
  });
  return out;
}

/** `count` windows whose classes alternate 0, 1, 2, 0, ...; the same seed and count give the same bytes. */
export function generateDataset(seed: number, count: number): Dataset {
  const windows = new Int16Array(count * windowLength * axes);
  const classes = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const label = index % labels.length;
    windows.set(generateWindow(seed, index, label), index * windowLength * axes);
    classes[index] = label;
  }
  return { windows, labels: classes, count };
}

/** The same windows in g. */
export function inUnits(windows: Int16Array): Float32Array {
  return Float32Array.from(windows, (steps) => steps * sensorStep);
}
