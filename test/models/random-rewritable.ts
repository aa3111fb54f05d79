/**
 * Random small networks full of what passes look for: padding before windows, reshapes and transpositions that undo each
 * other, equal layers, layers that only clamp, constants that layers compute from, copies of whole tensors; each also
 * where the pass must not act: another reader, an output of the model, another value, another shape.
 */
import type { Graph } from "../../compiler/model/graph.js";
import { GraphBuilder, Random } from "./random-graphs.js";
import { randomUnary } from "./random-elementwise.js";
import { addMovement } from "./random-movement.js";

const product = (shape: readonly number[]): number => shape.reduce((p, d) => p * d, 1);

class Rewritable {
  readonly random: Random;
  readonly b: GraphBuilder;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.b = new GraphBuilder(this.random, this.random.chance(0.7));
  }

  /** A tensor with the parameters of `like`. */
  private like(like: number, shape: readonly number[], data?: Int8Array): number {
    const quantization = this.b.tensors[like]?.quantization ?? { scales: [1], zeroPoints: [0], axis: 0 };
    return this.b.tensor(shape, quantization, data);
  }

  /** Sometimes an output of the model, too. */
  private seen(tensor: number): number {
    if (this.random.chance(0.12) && !this.b.outputs.includes(tensor)) {
      this.b.outputs.push(tensor);
    }
    return tensor;
  }

  reshape(input: number, shape: readonly number[]): number {
    return this.seen(this.b.reshape(input, shape));
  }

  transpose(input: number, permutation: readonly number[]): number {
    const shape = this.b.shapeOf(input);
    const output = this.like(
      input,
      permutation.map((d) => shape[d] ?? 1),
    );
    this.b.operators.push({ kind: "Transpose", input, output, permutation });
    return this.seen(output);
  }

  pad(input: number): number {
    const { b, random } = this;
    const shape = b.shapeOf(input);
    const amounts = (): number[] => shape.map((_, d) => (d === 1 || d === 2 ? random.int(0, 2) : 0));
    const [before, after] = [amounts(), amounts()];
    if (random.chance(0.1)) {
      after[3] = 1;
    }
    const output = this.like(
      input,
      shape.map((size, d) => size + (before[d] ?? 0) + (after[d] ?? 0)),
    );
    const zero = b.tensors[input]?.quantization?.zeroPoints[0] ?? 0;
    const value = random.pick([undefined, undefined, zero, -128, random.int(-128, 127)]);
    b.operators.push({ kind: "Pad", input, output, before, after, value });
    return this.seen(output);
  }

  window(input: number): number {
    const { b, random } = this;
    return random.pick([() => b.conv2D(input), () => b.depthwiseConv2D(input), () => b.pool(input)])();
  }

  /** A pooling of single positions, with an activation or none. */
  clamp(input: number): number {
    const one = {
      padding: "valid",
      filterHeight: 1,
      filterWidth: 1,
      strideHeight: 1,
      strideWidth: 1,
    } as const;
    return this.b.pool(input, one);
  }

  /** Tables: activations that only clamp, others, and two in a row. */
  table(input: number): number {
    const { b, random } = this;
    const scale = b.scaleOf(input);
    // Scales that leave the integer arithmetic are refused, and would be further on.
    const usual = scale > 1e-4 && scale < 1e4;
    if (usual && random.chance(0.4)) {
      return randomUnary(b, random.chance(0.5) ? randomUnary(b, input, "Tanh") : input);
    }
    const output = this.like(input, b.shapeOf(input));
    b.operators.push({
      kind: random.pick(usual ? (["Relu", "Relu6", "Quantize"] as const) : (["Relu", "Quantize"] as const)),
      input,
      output,
    });
    return output;
  }

  /** The last operator once more, on the same inputs. */
  twin(): number {
    const last = this.b.operators.at(-1);
    if (last === undefined) {
      throw new Error("no operator");
    }
    const output = this.like(last.output, this.b.shapeOf(last.output));
    this.b.operators.push({ ...last, output });
    return output;
  }

  /** One step from a tensor of rank 4 to another. */
  step(x: number): number {
    const { b, random } = this;
    const shape = b.shapeOf(x);
    const [, height = 1, width = 1, channels = 1] = shape;
    switch (random.int(0, 10)) {
      case 0:
      case 1:
        return this.window(this.pad(x));
      case 2: {
        // Through a shape of lower rank: padding of one-dimensional convolutions.
        const line = this.reshape(x, [1, 1, height * width, channels]);
        return this.window(random.chance(0.5) ? this.pad(line) : line);
      }
      case 3: {
        const there = random.pick([
          [0, 2, 1, 3],
          [0, 3, 1, 2],
          [0, 1, 3, 2],
        ]);
        const back = random.chance(0.8) ? there.map((_, d) => there.indexOf(d)) : there;
        const middle = this.transpose(x, there);
        return this.transpose(random.chance(0.2) ? this.clamp(middle) : middle, back);
      }
      case 4: {
        const flat = this.reshape(x, [1, product(shape)]);
        return this.reshape(flat, random.chance(0.7) ? shape : [1, width, height, channels]);
      }
      case 5: {
        const left = this.window(x);
        return random.chance(0.5) ? b.add(left, this.seen(this.twin())) : b.add(left, left);
      }
      case 6:
        return this.seen(this.clamp(random.chance(0.6) ? this.window(x) : x));
      case 7: {
        const data = random.int8s(product(shape));
        const constant = this.like(x, [1, product(shape)], data);
        return b.add(x, this.clamp(this.reshape(constant, shape)));
      }
      case 8:
        return this.table(random.chance(0.6) ? this.window(x) : x);
      case 9: {
        const joined = this.like(x, [1, height, width, 2 * channels]);
        b.operators.push({ kind: "Concatenation", inputs: [x, x], output: joined, axis: 3 });
        const output = this.like(x, shape);
        const begin = [0, 0, 0, random.int(0, channels)];
        b.operators.push({
          ...{ kind: "Slice", input: this.seen(joined), output, begin, sizes: shape },
          strides: [1, 1, 1, 1],
        });
        return output;
      }
      default:
        return addMovement(b, "resize", x);
    }
  }

  graph(name: string): Graph {
    const { b, random } = this;
    let x = b.input([1, random.int(2, 6), random.int(2, 6), random.pick([1, 2, 4, 4, 8])]);
    for (let steps = random.int(2, 5); steps > 0 && product(b.shapeOf(x)) < 2500; steps--) {
      x = this.step(x);
    }
    if (random.chance(0.5)) {
      const turned = random.chance(0.6) ? this.transpose(x, [0, 3, 1, 2]) : x;
      x = b.fullyConnected(this.reshape(turned, [1, product(b.shapeOf(turned))]));
    }
    if (!b.outputs.includes(x)) {
      b.outputs.push(x);
    }
    return b.graph(name);
  }
}

export function rewritable(seed: number): Graph {
  return new Rewritable(seed).graph(`rewritable-${seed}`);
}
