/**
 * Imports TensorFlow.js graph models: TensorFlow's operations as tensorflowjs_converter leaves them, channels-last, frozen. It
 * walks the nodes; what each operation becomes is in `operations.ts`.
 */
import { UserError } from "../../../diagnostics/user-error.js";
import { GraphBuilder } from "../../import-tfjs-context.js";
import type { TfjsFiles } from "../../import-tfjs-files.js";
import type { FloatGraph } from "../../quantize/float-graph.js";
import { MAX_RANK } from "../limits.js";
import { TfNode, held, type Activation, type Value } from "./context.js";
import { graphNodes, signatureOutputs, type GraphNode } from "./files.js";
import { foldNode } from "./fold-constants.js";
import { operations, supportedOperations } from "./operations.js";

/** "scope/node:0" → "scope/node"; undefined for "^node", which only orders execution. */
function tensorName(input: string): string | undefined {
  return input.startsWith("^") ? undefined : input.replace(/:0$/, "");
}

class GraphImport {
  private readonly builder = new GraphBuilder();
  private readonly values = new Map<string, Value>();
  private readonly inputs: Activation[] = [];

  constructor(
    private readonly name: string,
    private readonly files: TfjsFiles,
  ) {}

  private structureError(problem: string, fix: string): UserError {
    return new UserError("TMC3206", `model "${this.name}": ${problem}`, fix);
  }

  run(): FloatGraph {
    const nodes = graphNodes(this.files.topology, this.name);
    const order = this.sorted(nodes);
    for (const node of order) {
      this.node(node);
    }
    const read = new Set(nodes.flatMap((node) => node.input.map(tensorName)));
    const ends =
      signatureOutputs(this.files.signature) ?? nodes.map(({ name }) => name).filter((n) => !read.has(n));
    const outputs = ends.map((end) => {
      const value = this.values.get(tensorName(end) ?? "");
      if (value?.kind !== "activation" || value.blocks !== undefined) {
        throw this.structureError(`its output "${end}" is not computed`, "Convert the model again.");
      }
      return value;
    });
    if (this.inputs.length === 0 || outputs.length === 0) {
      throw this.structureError(
        `it has ${this.inputs.length} inputs and ${outputs.length} outputs`,
        "Convert a model that computes its output from an input.",
      );
    }
    return this.builder.graphOf(
      this.name,
      this.inputs.map(({ tensor }) => tensor),
      outputs.map(({ tensor }) => tensor),
    );
  }

  /** Nodes with all that they read before them; work is proportional to the edges. */
  private sorted(nodes: readonly GraphNode[]): GraphNode[] {
    const waiting = new Map<string, number>();
    const readers = new Map<string, GraphNode[]>();
    const known = new Set(nodes.map(({ name }) => name));
    for (const node of nodes) {
      const reads = node.input.map((input) => tensorName(input) ?? input.slice(1));
      const missing = reads.find((name) => !known.has(name));
      if (missing !== undefined || waiting.has(node.name)) {
        throw this.structureError(
          missing === undefined
            ? `two nodes are called "${node.name}"`
            : `node "${node.name}" reads "${missing}", which is not there`,
          "Only first outputs of nodes are supported; convert the model again.",
        );
      }
      waiting.set(node.name, reads.length);
      reads.forEach((name) => {
        const list = readers.get(name);
        if (list === undefined) {
          readers.set(name, [node]);
        } else {
          list.push(node);
        }
      });
    }
    const order = nodes.filter((node) => waiting.get(node.name) === 0);
    for (const node of order) {
      for (const reader of readers.get(node.name) ?? []) {
        const left = (waiting.get(reader.name) ?? 0) - 1;
        waiting.set(reader.name, left);
        if (left === 0) {
          order.push(reader);
        }
      }
    }
    if (order.length !== nodes.length) {
      const done = new Set(order);
      throw this.structureError(
        `node "${nodes.find((node) => !done.has(node))?.name ?? ""}" is part of a cycle`,
        "Loops are not supported: unroll them before converting.",
      );
    }
    return order;
  }

  private node(node: GraphNode): void {
    if (node.op === "NoOp" || node.op === "Assert") {
      return;
    }
    if (node.op === "Placeholder") {
      this.placeholder(node);
      return;
    }
    if (node.op === "Const") {
      const weight = this.files.weights.get(node.name);
      if (weight === undefined) {
        throw this.structureError(
          `there is no weight "${node.name}" in the manifest`,
          "Convert the model again.",
        );
      }
      const type = weight.values instanceof Int32Array ? "int32" : "float32";
      this.values.set(node.name, { kind: "constant", type, shape: weight.shape, data: weight.values });
      return;
    }
    const inputs = node.input.flatMap((input) => {
      const name = tensorName(input);
      const value = name === undefined ? undefined : this.values.get(name);
      if (name !== undefined && value === undefined) {
        throw this.structureError(
          `node "${node.name}" reads "${input}", which has no value`,
          "Convert the model again.",
        );
      }
      return value === undefined ? [] : [value];
    });
    const context = new TfNode(this.builder, this.name, node, inputs);
    const folded = foldNode(context);
    const operation = operations[node.op];
    if (folded !== undefined) {
      this.values.set(node.name, { kind: "constant", ...folded });
    } else if (operation === undefined) {
      throw new UserError(
        "TMC3204",
        `${context.where} is of an operation that is not supported`,
        `Supported operations of TensorFlow: ${supportedOperations()}.`,
      );
    } else {
      this.values.set(node.name, operation(context));
    }
  }

  private placeholder(node: GraphNode): void {
    const dims = node.attr["shape"]?.shape?.dim?.map(({ size }) => Number(size ?? -1)) ?? [];
    const shape = dims.map((size, axis) => (axis === 0 && size === -1 ? 1 : size));
    const good = shape.every((size) => Number.isSafeInteger(size) && size >= 1) && shape.length <= MAX_RANK;
    if (!good || shape.length < 2 || shape[0] !== 1) {
      throw this.structureError(
        `its input "${node.name}" has the shape [${dims.map((size) => (size < 0 ? "?" : size)).join(", ")}]`,
        "Convert the model with a fixed input shape: memory on a microcontroller is planned at build time.",
      );
    }
    const value: Activation = {
      kind: "activation",
      tensor: this.builder.activation(held(shape), node.name),
      shape,
    };
    this.inputs.push(value);
    this.values.set(node.name, value);
  }
}

/** The float graph of a graph model. @throws UserError TMC3201, TMC3204 to TMC3207, TMC3210 */
export function importGraphModel(name: string, files: TfjsFiles): FloatGraph {
  return new GraphImport(name, files).run();
}
