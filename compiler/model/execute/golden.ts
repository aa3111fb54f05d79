/**
 * Golden files of a model: `opNN_tensorT.bin` in a folder = the raw int8 output tensor T of operator NN, and one file
 * with all outputs. Files that exist are compared; otherwise they are written.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../diagnostics/user-error.js";
import type { Graph } from "../graph.js";
import { describeDifference, differ, layerPlace } from "./compare.js";
import { joinTensors, splitTensors, type Inference } from "./inference.js";

/** What was done with golden files. */
export interface GoldenResult {
  readonly action: "compared" | "written";
  readonly files: number;
}

/** `op03_tensor25.bin` */
export function layerFileName(operator: number, tensor: number): string {
  return `op${String(operator).padStart(2, "0")}_tensor${tensor}.bin`;
}

/**
 * Compares the outputs with `file` when it exists, else writes it.
 * @throws UserError TMC3032 when they differ, TMC3030 when the file has another size.
 */
export function checkOutput(graph: Graph, inference: Inference, file: string): GoldenResult {
  if (!existsSync(file)) {
    writeFileSync(file, joinTensors(inference.outputs));
    return { action: "written", files: 1 };
  }
  const golden = splitTensors(graph, graph.outputs, readFileSync(file), file);
  graph.outputs.forEach((tensor, i) => {
    const difference = differ(graph, tensor, inference.outputs[i], golden[i]);
    if (difference !== undefined) {
      const place = { ...difference, place: `output ${i}`, operator: undefined };
      throw new UserError(
        "TMC3032",
        `the output differs from ${file}: ${describeDifference(place, "computed", "in the file")}`,
        "Compare the layers with --layers to see where it starts, or delete the file to write a new one.",
      );
    }
  });
  return { action: "compared", files: 1 };
}

/**
 * Compares the layers with the golden files in `folder` when it has any, else writes all. Layers without a file are
 * not compared.
 * @throws UserError TMC3033 for the first layer that differs, and for files that belong to no layer.
 */
export function checkLayers(graph: Graph, inference: Inference, folder: string): GoldenResult {
  const golden = new Set(
    existsSync(folder) ? readdirSync(folder).filter((name) => /^op\d+_tensor\d+\.bin$/.test(name)) : [],
  );
  if (golden.size === 0) {
    mkdirSync(folder, { recursive: true });
    for (const { operator, tensor, data } of inference.layers) {
      writeFileSync(join(folder, layerFileName(operator, tensor)), joinTensors([data]));
    }
    return { action: "written", files: inference.layers.length };
  }
  let files = 0;
  for (const { operator, tensor, data } of inference.layers) {
    const name = layerFileName(operator, tensor);
    if (golden.delete(name)) {
      files++;
      const [expected] = splitTensors(graph, [tensor], readFileSync(join(folder, name)), join(folder, name));
      const difference = differ(graph, tensor, data, expected);
      if (difference !== undefined) {
        const place = { ...difference, place: layerPlace(graph, operator, tensor), operator };
        throw new UserError(
          "TMC3033",
          `a layer differs from ${join(folder, name)}: ${describeDifference(place, "computed", "in the file")}`,
          "This is the first layer in execution order that differs.",
        );
      }
    }
  }
  // The passes leave out layers that the file may have.
  graph.operators.forEach(({ output }, operator) => golden.delete(layerFileName(operator, output)));
  const [stray] = golden;
  if (stray !== undefined) {
    throw new UserError(
      "TMC3033",
      `${join(folder, stray)} belongs to no layer of ${graph.name}`,
      "Use a folder with the layers of this model only.",
    );
  }
  return { action: "compared", files };
}
