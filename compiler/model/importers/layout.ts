/**
 * How an activation of a channels-first model lies in a graph that is channels-last. An axis order says which dimension of
 * the model's tensor each dimension of the held one is; an image [N, C, H, W] that is held as [N, H, W, C] has the order
 * [0, 2, 3, 1]. Transposing a tensor then changes nothing but the order.
 *
 * Pure functions on shapes; the graph is not known here.
 */
import { permutation } from "./constants.js";

/** The order of tensors that lie as the model has them. */
export function plainOrder(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}

/** [N, C, ...] held as [N, ..., C]. */
export function channelsLastOrder(rank: number): number[] {
  return rank < 3 ? plainOrder(rank) : [0, ...plainOrder(rank).slice(2), 1];
}

/** `shape` with its dimensions in `order`. */
export function ordered(shape: readonly number[], order: readonly number[]): number[] {
  return order.map((axis) => shape[axis] ?? 1);
}

/** The order after the model's dimensions were transposed: its new dimension j is its old dimension `perm[j]`. */
export function transposedOrder(order: readonly number[], perm: readonly number[]): number[] {
  return order.map((axis) => perm.indexOf(axis));
}

/** Whether two orders lay out a tensor of `shape` alike: dimensions of size 1 do not matter. */
export function sameLayout(shape: readonly number[], a: readonly number[], b: readonly number[]): boolean {
  const relevant = (order: readonly number[]): string => order.filter((axis) => shape[axis] !== 1).join();
  return relevant(a) === relevant(b);
}

/** Held dimensions: one-dimensional signals are images of width 1, [N, L, C] is held as [N, L, 1, C]. */
export function heldShape(shape: readonly number[], order: readonly number[]): number[] {
  const held = ordered(shape, order);
  return held.length === 3 ? [held[0] ?? 1, held[1] ?? 1, 1, held[2] ?? 1] : held;
}

/** For each flat index of the held tensor the flat index in the model's tensor. */
export function modelIndices(shape: readonly number[], order: readonly number[]): Int32Array {
  return permutation(shape, order);
}

/** Where the model's dimension `axis` is in the held tensor (`heldShape`). */
export function heldAxis(order: readonly number[], axis: number): number {
  const at = order.indexOf(axis);
  return order.length === 3 && at === 2 ? 3 : at;
}

/** A number for each of the model's dimensions, in the sequence of the held ones; `absent` for one that is only held. */
export function heldList<T>(list: readonly T[], order: readonly number[], absent: T): T[] {
  const held = order.map((axis) => list[axis] ?? absent);
  return held.length === 3 ? held.toSpliced(2, 0, absent) : held;
}
