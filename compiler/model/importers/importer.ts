/** What every model format implements; `load-model.ts` has the list. */
import type { Graph } from "../graph.js";
import type { FloatGraph } from "../quantize/float-graph.js";
import type { ModelSource } from "./model-source.js";

/**
 * A model as its file has it. A float graph goes to the quantiser; a quantised one (every activation int8) can be
 * executed, if `lower.ts` accepts it.
 */
export type LoadedModel =
  | { readonly form: "float"; readonly graph: FloatGraph }
  | { readonly form: "quantised"; readonly graph: Graph };

/**
 * Reads one format. Nothing in a file is trusted: whatever it holds, `load` gives a model or throws a UserError, in time and
 * memory bounded by the file's size and the limits of the compiler.
 */
export interface Importer {
  /** For messages: "ONNX". */
  readonly format: string;
  /** Usual names of its files: "*.onnx". */
  readonly files: string;
  /** Whether `source` is of this format, judged by its first bytes; where they cannot tell, by its name. */
  recognises(source: ModelSource): boolean;
  /** @throws UserError TMC30xx, TMC32xx */
  load(source: ModelSource): LoadedModel;
}
