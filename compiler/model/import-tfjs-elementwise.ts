/** Layers of TensorFlow.js that compute element by element: several inputs with broadcasting, and activations with slopes. */
import type { Binary } from "./graph.js";
import type { LayerContext, Value } from "./import-tfjs-context.js";

/** The shape of two operands together: equal, or 1 where it repeats. Undefined when they do not go together. */
function broadcast(left: readonly number[], right: readonly number[]): number[] | undefined {
  const together = left.map((size, d) => (size === 1 ? (right[d] ?? 0) : size));
  const fits = right.every((size, d) => size === 1 || size === together[d]);
  return left.length === right.length && fits ? together : undefined;
}

/** Joins the inputs from left to right. */
function merge(kind: Exclude<Binary["kind"], "PRelu">, most = Infinity): (layer: LayerContext) => Value {
  return (layer) => {
    const [first, ...rest] = layer.inputs;
    if (first === undefined || rest.length === 0 || layer.inputs.length > most) {
      const wanted = most === 2 ? "2 are needed" : "at least 2 are needed";
      throw layer.shapeError(`has ${layer.inputs.length} inputs, ${wanted}`);
    }
    return rest.reduce((left, right) => {
      const shape = broadcast(left.shape, right.shape);
      if (shape === undefined) {
        throw layer.shapeError(
          `combines shapes [${left.shape.join(", ")}] and [${right.shape.join(", ")}]; they must be equal, or 1 where one repeats`,
        );
      }
      const output = layer.output(shape);
      const operands = { left: left.tensor, right: right.tensor, output: output.tensor };
      layer.builder.add(
        kind === "Minimum" || kind === "Maximum"
          ? { kind, ...operands }
          : { kind, ...operands, activation: "none" },
      );
      return output;
    }, first);
  };
}

/** x where x >= 0, else x * slope. */
export function leakyRelu(layer: LayerContext, attribute: string, slope: unknown): Value {
  if (typeof slope !== "number" || !Number.isFinite(slope)) {
    throw layer.attributeError(attribute, slope, "a finite number");
  }
  const input = layer.input();
  const output = layer.output(input.shape);
  layer.builder.add({
    kind: "LeakyRelu",
    input: input.tensor,
    output: output.tensor,
    alpha: Math.fround(slope),
  });
  return output;
}

function leaky(layer: LayerContext): Value {
  // Keras 3 has another name for it.
  const name = layer.attribute("negative_slope") === undefined ? "alpha" : "negative_slope";
  return leakyRelu(layer, name, layer.attribute(name) ?? 0.3);
}

/** One slope per element, or per index of the dimensions that "shared_axes" leaves. */
function prelu(layer: LayerContext): Value {
  const input = layer.input();
  const axes: unknown = layer.attribute("shared_axes") ?? [];
  const shared: unknown[] = Array.isArray(axes) ? axes : [axes];
  const shape = input.shape.map((size, d) => (shared.includes(d + 1) ? 1 : size));
  const values = layer.weight("alpha", shape);
  const [time = 1, channels = 1] = shape;
  const held = shape.length === 2 ? [1, time, 1, channels] : [1, ...shape];
  const slopes = layer.builder.constant(values, held, `${layer.name}/alpha`);
  const output = layer.output(input.shape);
  layer.builder.add({ kind: "PRelu", left: input.tensor, right: slopes, output: output.tensor });
  return output;
}

/** By class name of TensorFlow.js and Keras. */
export const elementwiseImporters: Readonly<Record<string, (layer: LayerContext) => Value>> = {
  Add: merge("Add"),
  LeakyReLU: leaky,
  Maximum: merge("Maximum"),
  Minimum: merge("Minimum"),
  Multiply: merge("Mul"),
  PReLU: prelu,
  Subtract: merge("Sub", 2),
};
