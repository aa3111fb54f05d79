/**
 * Imports ONNX models: float32 ones for quantisation, and quantised ones (QuantizeLinear/DequantizeLinear pairs, QLinearConv,
 * QLinearMatMul) as int8 graphs. It walks the nodes; what each operator becomes is in `operators*.ts`.
 *
 * ONNX keeps images as [N, C, H, W], the graph as [N, H, W, C]: see `layout.ts`. Inputs that convolutions or pooling read
 * are therefore taken as [N, H, W, C] by the imported model.
 */
import { UserError } from "../../../diagnostics/user-error.js";
import { GraphBuilder } from "../../import-tfjs-context.js";
import type { FloatGraph } from "../../quantize/float-graph.js";
import type { Importer, LoadedModel } from "../importer.js";
import { channelsLastOrder, heldShape, plainOrder } from "../layout.js";
import { checkNodeCount, MAX_RANK } from "../limits.js";
import type { ModelSource } from "../model-source.js";
import { constantValue, OnnxNode, type Activation, type Value } from "./context.js";
import { foldNode } from "./fold-constants.js";
import { nodeImporters, supportedNodes } from "./operators.js";
import { readOnnx, type NodeProto, type OnnxModel, type ValueInfo } from "./proto.js";
import { QuantisationNotes } from "./quantisation-notes.js";
import { quantisedGraph } from "./quantised-graph.js";
import { dataType, TensorDecoder, typeName } from "./tensors.js";

/** Operators that see a tensor as an image or a signal with channels. */
const spatial: ReadonlySet<string> = new Set([
  "Conv",
  "QLinearConv",
  "MaxPool",
  "AveragePool",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "BatchNormalization",
  "Resize",
  "Upsample",
  "QLinearGlobalAveragePool",
  "QLinearAveragePool",
]);
/** Operators after which a tensor is another one. */
const reordering: ReadonlySet<string> = new Set([
  "Transpose",
  "Reshape",
  "Flatten",
  "MatMul",
  "Gemm",
  "Squeeze",
]);

/** Whether the tensor `name` reaches a spatial operator before its dimensions are reordered. */
function isImage(readers: ReadonlyMap<string, readonly NodeProto[]>, name: string): boolean {
  const seen = new Set([name]);
  for (const tensor of seen) {
    for (const node of readers.get(tensor) ?? []) {
      if (spatial.has(node.type) && node.inputs[0] === tensor) {
        return true;
      }
      if (!reordering.has(node.type)) {
        node.outputs.forEach((output) => seen.add(output));
      }
    }
  }
  return false;
}

class OnnxImport {
  private readonly builder = new GraphBuilder();
  private readonly notes = new QuantisationNotes();
  private readonly values = new Map<string, Value>();
  private readonly decoder: TensorDecoder;
  private readonly name: string;
  /** Nodes by the names of what they read. */
  private readonly readers = new Map<string, NodeProto[]>();

  constructor(
    source: ModelSource,
    private readonly model: OnnxModel,
  ) {
    this.decoder = new TensorDecoder(source);
    this.name = source.name;
    for (const node of model.nodes) {
      for (const input of new Set(node.inputs)) {
        const known = this.readers.get(input);
        if (known === undefined) {
          this.readers.set(input, [node]);
        } else {
          known.push(node);
        }
      }
    }
  }

  private structureError(problem: string, fix: string): UserError {
    return new UserError("TMC3206", `model "${this.name}": ${problem}`, fix);
  }

  run(): LoadedModel {
    const { model, name } = this;
    checkNodeCount(model.nodes.length, "nodes");
    for (const tensor of model.initializers) {
      this.define(
        tensor.name,
        constantValue(this.decoder.decode(tensor, `model "${name}", tensor "${tensor.name}"`)),
      );
    }
    const inputs = model.inputs.filter((info) => !this.values.has(info.name)).map((info) => this.input(info));
    for (const node of model.nodes) {
      this.node(node);
    }
    const outputs = model.outputs.map(({ name: output }) => {
      const value = this.values.get(output);
      if (value?.kind !== "activation") {
        throw this.structureError(`its output "${output}" is not computed`, "Export the model again.");
      }
      return value;
    });
    if (inputs.length === 0 || outputs.length === 0 || model.nodes.length === 0) {
      throw this.structureError(
        `it has ${inputs.length} inputs, ${model.nodes.length} nodes and ${outputs.length} outputs`,
        "Export a model that computes its output from an input.",
      );
    }
    const graph = this.builder.graphOf(
      name,
      inputs.map(({ tensor }) => tensor),
      outputs.map((value) => this.end(value)),
    );
    return this.finish(graph);
  }

  /** An output that is a flattened image in another order of dimensions is refused: nothing behind it could undo that. */
  private end(value: Activation): number {
    if (value.elements !== undefined) {
      throw this.structureError(
        `an output of shape [${value.shape.join(", ")}] is a flattened image in another order of dimensions`,
        "Let the model end before it is flattened, or with a dense layer.",
      );
    }
    return value.tensor;
  }

  private finish(graph: FloatGraph): LoadedModel {
    if (!this.notes.used) {
      return { form: "float", graph };
    }
    this.checkReaders();
    return { form: "quantised", graph: quantisedGraph(graph, this.notes) };
  }

  /** A tensor that one node quantises must not be read as float by another. */
  private checkReaders(): void {
    for (const [name, nodes] of this.readers) {
      const value = this.values.get(name);
      const quantisers = nodes.filter((node) => node.type === "QuantizeLinear" && node.inputs[0] === name);
      const other = nodes.find((node) => !quantisers.includes(node));
      if (quantisers.length > 0 && other !== undefined && value?.kind === "activation") {
        throw new UserError(
          "TMC3212",
          `model "${this.name}": node "${other.name}" (${other.type}) reads "${name}" in float, others read it quantised`,
          "Quantise the model so that every reader of a tensor reads it quantised.",
        );
      }
    }
  }

  private define(name: string, value: Value): void {
    if (this.values.has(name)) {
      throw this.structureError(`"${name}" is computed twice`, "Export the model again.");
    }
    this.values.set(name, value);
  }

  private input(info: ValueInfo): Activation {
    const { name, type, shape } = info;
    const known = shape?.map((size, axis) => (size < 0 && axis === 0 ? 1 : size)) ?? [];
    const good =
      shape !== undefined &&
      known.length >= 1 &&
      known.length <= MAX_RANK &&
      known.every((size) => Number.isSafeInteger(size) && size >= 1) &&
      (known.length === 1 || known[0] === 1);
    if (!good) {
      throw this.structureError(
        `its input "${name}" has the shape ${shape === undefined ? "(unknown)" : `[${shape.map((s) => (s < 0 ? "?" : s)).join(", ")}]`}`,
        "Export the model with a fixed input shape and a batch size of 1: memory on a microcontroller is planned at build time.",
      );
    }
    if (type !== dataType.float && type !== dataType.int8 && type !== dataType.uint8) {
      throw this.structureError(
        `its input "${name}" is ${typeName(type)}`,
        "Inputs are float32, int8 or uint8.",
      );
    }
    const order = isImage(this.readers, name) ? channelsLastOrder(known.length) : plainOrder(known.length);
    const tensor = this.builder.activation(heldShape(known, order), name);
    const value: Activation = { kind: "activation", tensor, shape: known, order };
    this.define(name, value);
    return value;
  }

  private node(proto: NodeProto): void {
    const context = new OnnxNode(
      this.builder,
      this.name,
      proto,
      this.model.opsets.get("") ?? 0,
      proto.inputs.map((input) => (input === "" ? undefined : this.read(proto, input))),
      this.notes,
      this.decoder,
    );
    const folded = foldNode(context);
    const importer = nodeImporters[proto.type];
    const known = ["", "ai.onnx", "com.microsoft"].includes(proto.domain);
    if (folded === undefined && (importer === undefined || !known)) {
      throw new UserError(
        "TMC3204",
        `${context.where} is of an operator that is not supported${known ? "" : ` (domain "${proto.domain}")`}`,
        `Supported operators of ONNX: ${supportedNodes()}.`,
      );
    }
    const value = folded === undefined ? importer?.(context) : constantValue(folded);
    const [output, ...more] = proto.outputs;
    const second = more.find((name) => name !== "" && this.readers.has(name));
    if (value === undefined || output === undefined || second !== undefined) {
      throw context.structureError(
        `its output "${second ?? ""}" is used`,
        "Only first outputs are supported.",
      );
    }
    if (folded === undefined) {
      context.checkAttributes();
    }
    this.define(output, value);
  }

  private read(proto: NodeProto, name: string): Value {
    const value = this.values.get(name);
    if (value === undefined) {
      throw this.structureError(
        `node "${proto.name}" (${proto.type}) reads "${name}", which is not computed before it`,
        "Nodes stand in the order of execution, without cycles: export the model again.",
      );
    }
    return value;
  }
}

/** The importer of ONNX models. The format has no identifier: the file's name decides. */
export const onnxImporter: Importer = {
  format: "ONNX",
  files: "*.onnx",
  recognises: ({ path }) => path.endsWith(".onnx"),
  load: (source) => new OnnxImport(source, readOnnx(source.bytes, source.fileName)).run(),
};
