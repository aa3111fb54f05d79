/** The importer of .tflite files, float and int8, as other tools export them; `tflite/read.ts` reads, this tells which of the two it is. */
import { operatorInputs } from "./graph.js";
import type { Importer, LoadedModel } from "./importers/importer.js";
import type { ModelSource } from "./importers/model-source.js";
import { readTflite } from "./tflite/read.js";

/** A model is float when all that its operators read and write is; otherwise `lower.ts` says what it thinks of the types. */
function load(source: ModelSource): LoadedModel {
  const graph = readTflite(source.bytes, source.name);
  // Other constants (the shape that a reshape reads) are not part of the graph's operators.
  const used = new Set(graph.operators.flatMap((operator) => [...operatorInputs(operator), operator.output]));
  const float = graph.tensors.every((tensor, index) => !used.has(index) || tensor.type === "float32");
  return { form: float ? "float" : "quantised", graph };
}

/** A damaged identifier is the reader's to report. */
export const tfliteImporter: Importer = {
  format: "TensorFlow Lite",
  files: "*.tflite",
  recognises: ({ bytes, path }) =>
    String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3" || path.endsWith(".tflite"),
  load,
};
