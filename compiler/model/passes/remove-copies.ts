/** Layers that give what is there already: reshapes, copies of whole tensors, transpositions that undo each other, twins. */
import { createHash } from "node:crypto";
import { layerInputs, layerMacs, type Layer } from "../layers.js";
import type { MoveLayer } from "../layers-movement.js";
import { positions } from "../reference/movement.js";
import { executeLayer } from "../runtime.js";
import type { Program } from "./program.js";

/** Reshapes, and moves of everything to where it was (a transposition of dimensions of size 1, a slice of the whole). */
export function removeCopies(program: Program): void {
  for (const { output } of program.layers) {
    const present = program.producer(output);
    const input = present === undefined ? undefined : copied(program, present);
    if (present !== undefined && input !== undefined && program.mayStandFor(present.output, input)) {
      program.replaceBy(present, input, "copies removed");
    }
  }
}

/** The tensor whose bytes `layer` copies as they are. */
function copied(program: Program, layer: Layer): number | undefined {
  if (layer.kind === "Reshape") {
    return layer.input;
  }
  if (layer.kind === "Lookup" && layer.table.every((result, i) => result === (i << 24) >> 24)) {
    return layer.input; // a requantisation to equal parameters
  }
  if (layer.kind !== "Move" || layer.fill !== undefined || layer.moves.length !== 1) {
    return undefined;
  }
  const [move] = layer.moves;
  const [input] = layer.inputs;
  const whole = move?.loops.length === 0 && move.from === 0 && move.to === 0 && move.run === layer.count;
  return whole && input !== undefined && program.size(input) === layer.count ? input : undefined;
}

/** Above this the places of elements are not looked at one by one. */
const MAX_ELEMENTS = 1 << 18;

/** By element of the output: the element of the input that a transposition copies. */
export function sources(layer: MoveLayer): Int32Array | undefined {
  const [move] = layer.moves;
  if (layer.what !== "Transpose" || move === undefined || layer.count > MAX_ELEMENTS) {
    return undefined;
  }
  const run = { count: move.run, step: 1 };
  const from = positions([...move.loops.map(({ count, from: step }) => ({ count, step })), run]);
  const to = positions([...move.loops.map(({ count, to: step }) => ({ count, step })), run]);
  const result = new Int32Array(layer.count);
  to.forEach((place, i) => (result[place] = from[i] ?? 0));
  return result;
}

/** A transposition of a transposition that gives the first input again; and one whose only reader is a dense layer. */
export function removeTranspositions(program: Program): void {
  for (const { output } of program.layers) {
    const second = program.producer(output);
    const first = second?.kind === "Move" ? program.producer(second.inputs[0] ?? -1) : undefined;
    if (second?.kind !== "Move" || first?.kind !== "Move") {
      continue;
    }
    const [inner, outer] = [sources(first), sources(second)];
    const input = first.inputs[0] ?? -1;
    const undone = inner !== undefined && outer?.every((place, i) => inner[place] === i) === true;
    if (undone && program.mayStandFor(second.output, input)) {
      program.replaceBy(second, input, "transpositions cancelled", first.operator);
    }
  }
  for (const layer of program.layers) {
    const reader = program.soleReader(layer.output);
    const from = layer.kind === "Move" ? sources(layer) : undefined;
    if (
      layer.kind !== "Move" ||
      from === undefined ||
      reader?.kind !== "FullyConnected" ||
      reader.rows !== 1
    ) {
      continue;
    }
    const filter = new Int8Array(reader.filter.length);
    reader.filter.forEach((weight, i) => {
      const k = i % reader.inputDepth;
      filter[i - k + (from[k] ?? 0)] = weight;
    });
    program.exchange(reader, { ...reader, input: layer.inputs[0] ?? -1, filter });
    program.remove(layer, "transpositions moved into weights", reader.operator);
  }
}

/** A layer that computes from equal tensors what an earlier one computed. */
export function removeTwins(program: Program): void {
  const seen = new Map<string, Layer[]>();
  for (const { output } of program.layers) {
    const layer = program.producer(output);
    if (layer === undefined) {
      continue;
    }
    // Few layers read the same tensors: only those are compared in full.
    const cheap = `${layer.kind} ${layerInputs(layer).join()}`;
    const candidates = seen.get(cheap) ?? [];
    const own = candidates.length === 0 ? "" : contents(layer);
    const twin = candidates.find((one) => contents(one) === own);
    if (twin === undefined) {
      seen.set(cheap, [...candidates, layer]);
    } else {
      program.replaceBy(layer, twin.output, "equal layers computed once", twin.operator);
    }
  }
}

/** All that determines the output, as text. */
function contents(layer: Layer): string {
  return JSON.stringify(layer, (key, value: unknown) => {
    if (key === "operator" || key === "output" || key === "what") {
      return undefined;
    }
    return ArrayBuffer.isView(value)
      ? createHash("sha256")
          .update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
          .digest("hex")
      : value;
  });
}

/** Above this a constant costs more time here than it is worth. */
const MAX_FOLDED_MACS = 1 << 22;

/** Layers that compute from constants alone. */
export function foldConstants(program: Program): void {
  for (const { output } of program.layers) {
    const layer = program.producer(output);
    if (layer === undefined || program.isOutput(output) || layerMacs(layer) > MAX_FOLDED_MACS) {
      continue;
    }
    const inputs = layerInputs(layer).map((tensor) => program.constant(tensor));
    const tensor = program.tensors[output];
    if (inputs.some((data) => data === undefined) || tensor === undefined || tensor.type !== "int8") {
      continue;
    }
    const data = new Int8Array(program.size(output));
    executeLayer(layer, (index) => (index === output ? data : (program.constant(index) ?? new Int8Array())));
    program.tensors[output] = { ...tensor, data };
    program.remove(layer, "constants folded");
  }
}

/** Layers whose output nothing needs. */
export function removeUnused(program: Program): void {
  for (const { output } of program.layers.toReversed()) {
    const layer = program.producer(output);
    if (layer !== undefined && !program.isOutput(output) && program.readers(output).length === 0) {
      program.remove(layer, "unused layers removed");
    }
  }
}
