/**
 * What all sensors share: waiting that a signal ends, reading a device at a rate with its lost frames counted, and the
 * checks of a wish. It knows no device.
 */
import { OperationFailure } from "../operations/operation.js";
import type { SensorDescription, Window } from "./connector.js";

/** Frames of one window at most; the definition of data.collect says the same. */
export const framesLimit = 100_000;

/** Setting a timer for longer than this is a mistake of the caller in every connector. */
const longestWaitMs = 3_600_000;

/** What an aborted signal means: its own OperationFailure where it carries one, else the deadline. */
export function abortFailure(signal: AbortSignal): OperationFailure {
  return signal.reason instanceof OperationFailure
    ? signal.reason
    : new OperationFailure("deadline", "the time is over");
}

/** Resolves after `ms` (at once when not positive). @throws OperationFailure when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortFailure(signal));
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(abortFailure(signal));
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
      Math.min(Math.max(ms, 0), longestWaitMs),
    );
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** @throws OperationFailure bad-request when no window of this sensor can be so. */
export function checkWindow(sensor: SensorDescription, frames: number, rate: number): void {
  if (!Number.isInteger(frames) || frames < 1 || frames > framesLimit) {
    throw new OperationFailure("bad-request", `1 to ${framesLimit} frames`, "arguments.frames");
  }
  const highest = sensor.highestRate ?? Number.MAX_VALUE;
  if (!(rate > 0) || rate > highest * (1 + 1e-9)) {
    const limit = sensor.highestRate === undefined ? "above 0" : `above 0, at most ${sensor.highestRate} Hz`;
    throw new OperationFailure("bad-request", `the rate must be ${limit}`, "arguments.rate");
  }
}

/**
 * Reads a device at times start + k / rate. A read that takes longer than a period makes the frames that fell due
 * meanwhile lost; the window is complete all the same, only longer.
 * @throws OperationFailure bad-request, deadline, and what `read` throws
 */
export async function pollWindow(
  sensor: SensorDescription,
  frames: number,
  rate: number,
  signal: AbortSignal,
  read: () => Promise<readonly number[]>,
): Promise<Window> {
  checkWindow(sensor, frames, rate);
  const periodMs = 1000 / rate;
  const samples = new Float32Array(frames * sensor.channels);
  const startedAt = performance.now();
  let slot = 0;
  let lost = 0;
  for (let taken = 0; taken < frames; taken++) {
    const wait = startedAt + slot * periodMs - performance.now();
    // Timers have a grain of 1 ms: a wait below half of it would be longer than the period it stands for.
    if (wait >= 0.5) await pause(wait, signal);
    else if (signal.aborted) throw abortFailure(signal);
    const frame = await read();
    if (frame.length !== sensor.channels) {
      throw new OperationFailure("function-failed", `${sensor.name} gave ${frame.length} values`);
    }
    samples.set(frame, taken * sensor.channels);
    slot++;
    const late = Math.floor((performance.now() - startedAt) * (rate / 1000)) - slot;
    if (late > 0 && taken + 1 < frames) {
      lost += late;
      slot += late;
    }
  }
  return { samples, frames, lost };
}
