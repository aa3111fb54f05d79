/**
 * Bounds on what importers accept: far above what a microcontroller holds, and low enough that a hostile file costs neither
 * much time nor much memory. They are checked before anything is allocated. `tmc explain TMC3210` states them.
 */
import { UserError } from "../../diagnostics/user-error.js";
import { elementCount } from "../graph.js";

/** Layers, nodes, or entries of a list that an importer visits. */
export const MAX_NODES = 4096;
/** Elements of all constants together, after decoding. */
export const MAX_WEIGHTS = 64 * 1024 * 1024;
/** Elements of one activation. */
export const MAX_ACTIVATION = 16 * 1024 * 1024;
/** Elements of all activations together. */
export const MAX_ACTIVATIONS = 64 * 1024 * 1024;
export const MAX_RANK = 6;

/** TMC3210 */
export function tooLarge(what: string): UserError {
  return new UserError(
    "TMC3210",
    `the model exceeds a limit of the importers: ${what}`,
    "Run `tmc explain TMC3210` for the limits.",
  );
}

/** `total` elements of constants so far; returns it. @throws UserError TMC3210 */
export function checkWeightCount(total: number): number {
  if (!(total <= MAX_WEIGHTS)) {
    throw tooLarge(`its constants have more than ${MAX_WEIGHTS} elements`);
  }
  return total;
}

/** The elements of an activation of `shape`. @throws UserError TMC3210 */
export function checkActivation(shape: readonly number[], name: string): number {
  const count = elementCount(shape);
  if (!(count <= MAX_ACTIVATION)) {
    throw tooLarge(
      `the output of "${name}" has the shape [${shape.join(", ")}], more than ${MAX_ACTIVATION} elements`,
    );
  }
  return count;
}

/** @throws UserError TMC3210 when `count` layers or nodes are too many. */
export function checkNodeCount(count: number, what: string): void {
  if (count > MAX_NODES) {
    throw tooLarge(`it has ${count} ${what}, at most ${MAX_NODES} are read`);
  }
}
