/**
 * Sensors that compute their frames. Those of the simulated C nodes (`generator:NAME` of `--sensor`) have the same names
 * and give the same frames here; sine and noise are of this connector alone.
 */
import { StreamRandom, vibrationKinds, vibrationStream } from "./vibration-generator.js";

/** The next frame; `period` is the time between frames in seconds. */
export type FrameSource = (period: number) => readonly number[];

export interface GeneratorKind {
  /** Channels it gives; undefined: as many as are asked for. */
  readonly channels: number | undefined;
  readonly open: (seed: number, channels: number) => FrameSource;
}

/** 0, 1, 2 …: shows order and losses. Exact in a float. */
function counter(): FrameSource {
  let count = 0;
  return () => [count++ & 0xffffff];
}

/** 1 Hz, amplitude 1; each channel a quarter turn behind the one before. */
function sine(_seed: number, channels: number): FrameSource {
  let phase = 0;
  return (period) => {
    const frame = Array.from({ length: channels }, (_, c) => Math.sin(2 * Math.PI * (phase - c / 4)));
    phase = (phase + period) % 1;
    return frame;
  };
}

/** White, mean 0, deviation 1. */
function noise(seed: number, channels: number): FrameSource {
  const random = new StreamRandom(seed);
  return () => Array.from({ length: channels }, () => random.normal());
}

export const generators: ReadonlyMap<string, GeneratorKind> = new Map<string, GeneratorKind>([
  ...vibrationKinds.map((kind, label): [string, GeneratorKind] => [
    `vibration-${kind}`,
    { channels: 3, open: (seed) => vibrationStream(label as 0 | 1 | 2, seed) },
  ]),
  ["counter", { channels: 1, open: counter }],
  ["sine", { channels: undefined, open: sine }],
  ["noise", { channels: undefined, open: noise }],
]);
