/**
 * The elementwise kernels on Node.js: two operands with broadcasting, and tables. The same loops and roundings as
 * `runtime-c/kernels/elementwise.c`. The output may be an operand that is not broadcast.
 */
import type { ElementwiseLayer, LookupLayer } from "../layers.js";
import { multiplyByQuantizedMultiplier } from "./arithmetic.js";

/** What a layer computes from one element of each operand. */
export function elementwiseFunction(layer: ElementwiseLayer): (left: number, right: number) => number {
  const { left: l, right: r, output: o } = layer.factors;
  const clamp = (value: number): number =>
    value < layer.clamp.min ? layer.clamp.min : value > layer.clamp.max ? layer.clamp.max : value;
  const finish = (value: number): number => clamp((value + o.offset) | 0);
  const scaled = multiplyByQuantizedMultiplier;
  switch (layer.operation) {
    case "Add":
    case "Sub": {
      const sign = layer.operation === "Add" ? 1 : -1;
      return (left, right) => {
        const a = scaled((left + l.offset) << layer.leftShift, l.multiplier, l.shift);
        const b = scaled((right + r.offset) << layer.leftShift, r.multiplier, r.shift);
        return finish(scaled((a + sign * b) | 0, o.multiplier, o.shift));
      };
    }
    case "Mul":
      return (left, right) =>
        finish(scaled(Math.imul(left + l.offset, right + r.offset), o.multiplier, o.shift));
    case "PRelu":
      return (left, right) => {
        const input = left + l.offset;
        return finish(
          input >= 0
            ? scaled(input, o.multiplier, o.shift)
            : scaled(Math.imul(input, right + r.offset), r.multiplier, r.shift),
        );
      };
    case "Minimum":
      return Math.min;
    case "Maximum":
      return Math.max;
  }
}

export function elementwise(
  layer: ElementwiseLayer,
  left: Int8Array | Int16Array,
  right: Int8Array | Int16Array,
  output: Int8Array | Int16Array,
): void {
  const compute = elementwiseFunction(layer);
  const [n0, n1, n2, n3] = layer.shape;
  const [l0, l1, l2, l3] = layer.leftSteps;
  const [r0, r1, r2, r3] = layer.rightSteps;
  let out = 0;
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      for (let i2 = 0; i2 < n2; i2++) {
        let l = i0 * l0 + i1 * l1 + i2 * l2;
        let r = i0 * r0 + i1 * r1 + i2 * r2;
        for (let i3 = 0; i3 < n3; i3++) {
          output[out++] = compute(left[l] ?? 0, right[r] ?? 0);
          l += l3;
          r += r3;
        }
      }
    }
  }
}

export function lookup(layer: LookupLayer, input: Int8Array, output: Int8Array): void {
  for (let i = 0; i < layer.count; i++) {
    output[i] = layer.table[(input[i] ?? 0) & 255] ?? 0;
  }
}
