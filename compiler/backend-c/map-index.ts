/**
 * Fills the index of every Map and Set of the snapshot, as runtime-c/include/tmc/maps.h reads it. The multiplier is
 * the one of some dozens with the fewest collisions: keys are known, so nearly every look-up ends at its first slot.
 */
import { isLookupKey, isMapOrSet, keyOf, mapFields } from "../ir/map-type.js";
import type { SnapObject, SnapValue } from "../ir/snapshot.js";
import type { Type } from "../ir/types.js";

const tried = 64;

export function fillMapIndexes(objects: readonly SnapObject[], literal: (text: string) => number): void {
  for (const o of objects) {
    if (o.k !== "object" || !isMapOrSet(o.type)) continue;
    const keys = o.fields.get(mapFields.keys);
    const slots = o.fields.get(mapFields.slots);
    if (keys?.k !== "ref" || keys.to.k !== "array" || slots?.k !== "ref" || slots.to.k !== "array") continue;
    const key = keyOf(o.type);
    if (!isLookupKey(key)) continue;
    const hashes = keys.to.elems.map((k) => hashOf(k, key, literal));
    const count = slots.to.elems.length;
    const shift = 32 - Math.log2(count);
    let best = placed(hashes, 0x9e3779b1, shift, count);
    for (let i = 1, mul = 0x9e3779b1; i < tried && best.probes > hashes.length; i++) {
      mul = (Math.imul(mul, 0x915f77f5) | 1) >>> 0;
      const next = placed(hashes, mul, shift, count);
      if (next.probes < best.probes) best = next;
    }
    slots.to.elems.splice(0, count, ...best.slots.map((value): SnapValue => ({ k: "num", value })));
    o.fields.set(mapFields.mul, { k: "num", value: best.mul });
    o.fields.set(mapFields.shift, { k: "num", value: shift });
  }
}

function hashOf(v: SnapValue | undefined, type: Type, literal: (text: string) => number): number {
  switch (v?.k) {
    case "num":
      return v.value >>> 0;
    case "big":
      return Number(BigInt.asUintN(32, v.value ^ (v.value >> 32n)));
    case "bool":
      return v.value ? 1 : 0;
    case "str": {
      if (type.k === "literals") return literal(v.value);
      let hash = v.value.length;
      for (let i = 0; i < v.value.length; i++) hash = Math.imul(hash, 33) ^ v.value.charCodeAt(i);
      return hash >>> 0;
    }
    default:
      throw new Error("a key without a hash");
  }
}

/** The slots with this multiplier, and how many are looked at to find every key once. */
function placed(hashes: readonly number[], mul: number, shift: number, count: number) {
  const slots = Array.from({ length: count }, () => 0);
  let probes = 0;
  hashes.forEach((hash, entry) => {
    let at = Math.imul(hash, mul) >>> shift;
    for (probes++; slots[at] !== 0; probes++) at = (at + 1) % count;
    slots[at] = entry + 1;
  });
  return { mul, slots, probes };
}
