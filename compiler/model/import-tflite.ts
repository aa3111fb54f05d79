/** Imports float .tflite files, as other tools export them, for quantisation. Int8 files need none: `tflite/read.ts` reads both. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import { operatorInputs } from "./graph.js";
import type { FloatGraph, Importer } from "./quantize/float-graph.js";
import { readTflite } from "./tflite/read.js";

/** Reads a float model. Errors of the reader, and TMC3200, TMC3206 (inputs and outputs), TMC3227 (not float). */
export function importFloatTflite(file: string): FloatGraph {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UserError("TMC3200", `cannot read "${file}" (${reason})`, "Check the path.", ExitCode.usage);
  }
  const graph = readTflite(bytes, basename(file));
  // Other constants (the shape that a reshape reads) are not part of the graph's operators.
  const used = new Set(graph.operators.flatMap((operator) => [...operatorInputs(operator), operator.output]));
  const odd = graph.tensors.find((tensor, index) => used.has(index) && tensor.type !== "float32");
  if (odd !== undefined) {
    throw new UserError(
      "TMC3227",
      `tensor "${odd.name}" of ${basename(file)} is ${odd.type}; only float32 models can be quantised`,
      "Give the float model; a model that is int8 already needs no quantisation.",
    );
  }
  if (graph.inputs.length !== 1 || graph.outputs.length !== 1) {
    throw new UserError(
      "TMC3206",
      `${basename(file)} has ${graph.inputs.length} inputs and ${graph.outputs.length} outputs`,
      "One input and one output are supported.",
    );
  }
  return graph;
}

/** The importer of float .tflite files. */
export const tfliteImporter: Importer = { format: "float .tflite", import: importFloatTflite };
