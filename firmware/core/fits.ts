/**
 * Does offered data satisfy a need? Pure, so that every node and server answers alike.
 * Element type and shape must be stated by the offer where the need states them. Format (default raw), rate (within
 * 1 %), unit and quantisation conflict only when both sides state them. Dimensions of 1 do not count; -1 is any.
 */
import type { DataDescriptor } from "./data-descriptor.js";
import { DescriptorField } from "./data-descriptor.js";

export function fits(offer: DataDescriptor, need: DataDescriptor): boolean {
  return mismatch(offer, need).length === 0;
}

/** The name of the first field that does not fit; "" when all do. */
export function mismatch(offer: DataDescriptor, need: DataDescriptor): string {
  if (need.has(DescriptorField.Element)) {
    if (!offer.has(DescriptorField.Element) || offer.element !== need.element) return "element";
  }
  if (need.has(DescriptorField.Shape)) {
    if (!offer.has(DescriptorField.Shape) || !sameShape(offer, need)) return "shape";
  }
  if (offer.format !== need.format) return "format";
  const both = offer.present & need.present;
  if (stated(both, DescriptorField.Rate) && Math.abs(offer.rate - need.rate) > need.rate * 0.01)
    return "rate";
  if (stated(both, DescriptorField.Unit) && offer.unit.toString() !== need.unit.toString()) return "unit";
  if (stated(both, DescriptorField.Scale) && offer.scale !== need.scale) return "scale";
  if (stated(both, DescriptorField.ZeroPoint) && offer.zeroPoint !== need.zeroPoint) return "zeroPoint";
  return "";
}

function stated(fields: i32, field: DescriptorField): boolean {
  return (fields & (1 << field)) !== 0;
}

function sameShape(a: DataDescriptor, b: DataDescriptor): boolean {
  return sameDimensions(a, b) || sameWithoutOnes(a, b);
}

/** Dimension by dimension: one row of any number of rows is [1, 3] for [-1, 3]. */
function sameDimensions(a: DataDescriptor, b: DataDescriptor): boolean {
  if (a.rank !== b.rank) return false;
  for (let i = 0; i < a.rank; i++) {
    const x = a.shape[i];
    const y = b.shape[i];
    if (x !== y && x !== -1 && y !== -1) return false;
  }
  return true;
}

function sameWithoutOnes(a: DataDescriptor, b: DataDescriptor): boolean {
  let i = 0;
  let j = 0;
  while (true) {
    while (i < a.rank && a.shape[i] === 1) i++;
    while (j < b.rank && b.shape[j] === 1) j++;
    if (i >= a.rank || j >= b.rank) return i >= a.rank && j >= b.rank;
    const x = a.shape[i];
    const y = b.shape[j];
    if (x !== y && x !== -1 && y !== -1) return false;
    i++;
    j++;
  }
}
