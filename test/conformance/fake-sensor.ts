/** The sensor "s" of the fake node, and the reference to it: what may be asked of it, and what it gives. */
import { Refusal, type Is, type Reply } from "./fake-refusal.js";
import { map, type CborMap } from "./wire.js";

export const channels = 2;

export function checkWork(is: Is, request: CborMap): void {
  if (request.get(4) === "model.infer") {
    if (request.get(7) !== "sensor:s" && !is("any sensor")) throw new Refusal(5, "input");
    return;
  }
  const args = (request.get(6) ?? new Map()) as CborMap;
  const [frames, rate, mode] = [args.get(1) ?? 1, args.get(2) ?? 100, args.get(3) ?? 0];
  if (args.get(0) !== "s") throw new Refusal(is("unknown sensor") ? 1 : 5, "arguments.sensor");
  const wrong =
    !Number.isInteger(frames) ||
    Number(frames) < 1 ||
    Number(frames) > 100_000 ||
    !(Number(rate) > 0) ||
    ![0, 1].includes(Number(mode));
  if (wrong && !is("bounds")) throw new Refusal(1, "arguments");
  if (mode === 0 && Number(frames) > 50 && !is("frames fit")) throw new Refusal(6, "arguments");
}

export function collected(is: Is, args: CborMap): Reply {
  const frames = Number(args.get(1) ?? 1);
  if (args.get(3) === 1) {
    const mean = is("summary") ? 9 : 0.5;
    const summary = Array.from({ length: channels }, () => [mean, 0, 1, 0.7]);
    return {
      7: map({ 0: frames, 1: 0, 2: summary }),
      ...(is("summary output") ? { 8: new Uint8Array(4) } : {}),
    };
  }
  const shape = is("samples shape") ? [channels, frames] : [frames, channels];
  return {
    7: map({ 0: frames, 1: 0 }),
    8: new Uint8Array(4 * frames * channels),
    9: map({ 0: 6, 1: shape, 3: 100 }),
  };
}
