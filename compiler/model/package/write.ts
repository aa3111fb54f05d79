/**
 * A model as a package: the layers, kernels and memory plan of the compiled-in form, as data for a node that has the
 * kernels. What it makes is checked as the node checks it.
 */
import { UserError } from "../../diagnostics/user-error.js";
import { compileModel } from "../compile.js";
import { joinTensors, runOnNode, type InferenceInput } from "../execute/inference.js";
import { describeOperator, elementCount, tensorAt, type Graph } from "../graph.js";
import { aboutSection, type PackageAbout } from "./about.js";
import { checkPackage, unboundedSlot, verdictText } from "./check.js";
import { IN_PACKAGE, MAX_RANK, Reason } from "./format.js";
import { PackageImage, type PackageEnd } from "./image.js";
import { stepsOf } from "./steps.js";

export interface PackageOptions {
  /** Up to 32 bytes of it are kept. */
  readonly name?: string;
  /** Kept with the outputs that it gives, for the node to compare before it switches. */
  readonly golden?: InferenceInput;
  /** What nodes that run it tell of the model. */
  readonly about?: PackageAbout;
}

/** @throws UserError TMC30xx for a graph that cannot be executed exactly, TMC3060 for one that cannot be packaged. */
export function packageModel(original: Graph, options: PackageOptions = {}): Uint8Array {
  const { graph, layers, kernels, plan } = compileModel(
    original,
    "balanced",
    ({ name }) => name !== "winograd",
  );
  const placed = (tensor: number): number | undefined => plan.placements.get(tensor)?.offset;
  const image = new PackageImage(
    graph.inputs.map((tensor) => endOf(graph, tensor, placed(tensor))),
    graph.outputs.map((tensor) => endOf(graph, tensor, placed(tensor))),
  );
  const operand = (tensor: number): number => {
    const offset = placed(tensor);
    if (offset !== undefined) {
      return offset;
    }
    const { data } = tensorAt(graph, tensor);
    if (!(data instanceof Int8Array)) {
      throw new Error(`tensor ${tensor} of model "${graph.name}" has no memory`);
    }
    return (image.constant(data) | IN_PACKAGE) >> 0;
  };
  layers.forEach((layer, at) => {
    const choice = kernels[at];
    if (choice === undefined) {
      throw new Error(`layer ${at} has no kernel`);
    }
    const steps = stepsOf(layer, choice, {
      where: describeOperator(original, layer.operator),
      operand,
      result: (tensor) => placed(tensor) ?? -1,
      scratch: plan.scratch.get(layer.operator)?.offset ?? 0,
      constant: (data) => image.constant(data),
    });
    steps.forEach((step) => image.step(step));
  });
  const name = options.name ?? original.name;
  const golden = options.golden === undefined ? {} : { golden: goldenOf(original, options.golden) };
  const about = options.about === undefined ? {} : { about: sectionOf(original, options.about) };
  const bytes = image.finish({ name, arenaBytes: plan.arenaBytes, ...golden, ...about });
  const verdict = checkPackage(bytes, unboundedSlot);
  if (verdict.reason !== Reason.ok) {
    throw new UserError(
      "TMC3060",
      `a package of ${original.name} would be refused: ${verdictText(verdict)}`,
      "Compile the model into the firmware: its sizes are beyond what packages hold.",
    );
  }
  return bytes;
}

function endOf(graph: Graph, tensor: number, offset: number | undefined): PackageEnd {
  const { name, type, shape, quantization } = tensorAt(graph, tensor);
  if (offset === undefined || type !== "int8" || shape.length > MAX_RANK) {
    throw new UserError(
      "TMC3060",
      `tensor ${tensor} "${name}" of ${graph.name}: inputs and outputs of a package are int8 tensors that are computed`,
      "Compile the model into the firmware.",
    );
  }
  return {
    offset,
    bytes: elementCount(shape),
    shape,
    scale: quantization?.scales[0] ?? 0,
    zeroPoint: quantization?.zeroPoints[0] ?? 0,
  };
}

function sectionOf(graph: Graph, about: PackageAbout): Uint8Array {
  try {
    return aboutSection(about);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(
      "TMC3060",
      `${graph.name} cannot be described in a package: ${error.message}`,
      "Shorten it in the model's yaml file: labels and task have up to 64 bytes, a unit 15.",
    );
  }
}

function goldenOf(graph: Graph, input: InferenceInput): Uint8Array {
  const [result] = runOnNode(graph, [input]);
  return joinTensors([...input, ...(result?.outputs ?? [])]);
}
