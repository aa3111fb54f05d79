/** model.infer of the fake node: a model of [4, 3] i8 to [3] i8 that always says the same, and its descriptors. */
import { Refusal, type Is, type Reply } from "./fake-refusal.js";
import { map, type CborMap } from "./wire.js";

export const input = map({ 0: 0, 1: [4, 3], 3: 100, 4: "g", 5: 0.5, 6: 0 });
export const output = map({ 0: 0, 1: [3], 5: 0.25, 6: 0 });

export function inferred(is: Is, request: CborMap): Reply {
  const q = is("random output") ? Math.floor(Math.random() * 100) : 4;
  const result = map({ 0: "a", 1: 1, 2: 0, 3: is("model name") ? "m" : "m@1.0.0", 4: 0 });
  const accept = request.get(9) as CborMap | undefined;
  if (accept?.get(0) !== 6 || is("accepted output"))
    return { 7: result, 8: Uint8Array.of(q, 0, 0), 9: output };
  const values = new Uint8Array(12);
  new DataView(values.buffer).setFloat32(0, q * (is("dequantised") ? 1 : 0.25), true);
  return { 7: result, 8: values, 9: map({ 0: 6, 1: [3] }) };
}

export function infer(is: Is, request: CborMap): Reply {
  const selector = (request.get(5) ?? new Map()) as CborMap;
  const name = (selector.get(0) ?? "m") as string;
  const task = selector.get(1) ?? "classification";
  const known = ["m", "m@1.0.0"].includes(name) && task === "classification";
  if (!known && !is("any model")) throw new Refusal(5, "selector");
  const bytes = request.get(7);
  if (!(bytes instanceof Uint8Array)) throw new Refusal(1, "input");
  const offer = (request.get(8) ?? new Map()) as CborMap;
  const accept = request.get(9) as CborMap | undefined;
  const real = offer.get(0) === 6;
  mustFit(is, offer, real ? map({ 0: 6, 1: [4, 3], 3: 100, 4: "g" }) : input, "input");
  if (bytes.length !== (real ? 48 : 12) && !is("length")) throw new Refusal(4, "input.bytes");
  if (accept !== undefined)
    mustFit(is, accept.get(0) === 6 ? map({ 0: 6, 1: [3] }) : output, accept, "accept");
  return inferred(is, request);
}

function mustFit(is: Is, offer: CborMap, need: CborMap, field: string): void {
  const fail = (part: string): never => {
    throw new Refusal(4, `${field}.${part}`);
  };
  if (need.has(0) && offer.get(0) !== need.get(0)) fail("element");
  const ones = (shape: unknown): number[] =>
    ((shape ?? []) as number[]).filter((size) => size !== 1 || is("ones count"));
  const [a, b] = [ones(offer.get(1)), ones(need.get(1))];
  const any = (size: number | undefined): boolean => size === -1 && !is("any size");
  const same = a.length === b.length && a.every((size, i) => size === b[i] || any(size) || any(b[i]));
  if (need.has(1) && !same && !is("shape")) fail("shape");
  if ((offer.get(2) ?? 0) !== (need.get(2) ?? 0)) fail("format");
  const tolerance = is("rate exact") ? 0 : 0.01;
  for (const [key, part] of [
    [3, "rate"],
    [4, "unit"],
    [5, "scale"],
    [6, "zeroPoint"],
  ] as const) {
    const [x, y] = [offer.get(key), need.get(key)];
    if (x === undefined || y === undefined) continue;
    const equal = key === 3 ? Math.abs(Number(x) - Number(y)) <= Number(y) * tolerance : x === y;
    if (!equal && !(is("scale") && key === 5)) fail(part);
  }
}
