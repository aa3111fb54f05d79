/** Builds networks of TensorFlow.js layers with names and seeded weights; a shorthand for `networks.ts`. */
import type * as Tf from "@tensorflow/tfjs";

type Value = Tf.SymbolicTensor;

export interface Window {
  readonly kernel: number | [number, number];
  readonly stride?: number | [number, number];
  readonly padding?: "same" | "valid";
}

export interface ConvolutionWindow extends Window {
  readonly dilation?: number;
  readonly bias?: boolean;
}

/** Every method adds one layer (or the few it names) and gives its output. */
export class Layers {
  private number = 0;

  /** `seed` decides the weights that training starts from. */
  constructor(
    readonly tf: typeof Tf,
    private readonly seed: number,
  ) {}

  input(...shape: number[]): Value {
    return this.tf.input({ shape, name: "input" });
  }

  conv(x: Value, filters: number, window: ConvolutionWindow): Value {
    const { bias: useBias = true, ...rest } = window;
    const options = { ...this.window(rest), filters, useBias, kernelInitializer: this.initial() };
    const { layers } = this.tf;
    // One-dimensional inputs are [batch, time, channels].
    return x.shape.length === 3
      ? this.apply(
          layers.conv1d({
            ...options,
            kernelSize: single(window.kernel),
            strides: single(window.stride ?? 1),
          }),
          x,
        )
      : this.apply(layers.conv2d(options), x);
  }

  depthwise(x: Value, window: ConvolutionWindow, depthMultiplier = 1): Value {
    const { bias: useBias = true, ...rest } = window;
    const depthwiseInitializer = this.initial();
    const options = { ...this.window(rest), depthMultiplier, useBias, depthwiseInitializer };
    return this.apply(this.tf.layers.depthwiseConv2d(options), x);
  }

  separable(x: Value, filters: number, window: Window, depthMultiplier = 1): Value {
    const options = {
      ...this.window(window),
      filters,
      depthMultiplier,
      depthwiseInitializer: this.initial(),
      pointwiseInitializer: this.initial(),
    };
    return this.apply(this.tf.layers.separableConv2d(options), x);
  }

  dense(x: Value, units: number): Value {
    const options = { units, name: this.name("dense"), kernelInitializer: this.initial() };
    return this.apply(this.tf.layers.dense(options), x);
  }

  normalize(x: Value): Value {
    return this.apply(this.tf.layers.batchNormalization({ name: this.name("normalize"), momentum: 0.9 }), x);
  }

  relu(x: Value): Value {
    return this.apply(this.tf.layers.reLU({ name: this.name("relu") }), x);
  }

  relu6(x: Value): Value {
    return this.apply(this.tf.layers.reLU({ name: this.name("relu6"), maxValue: 6 }), x);
  }

  leaky(x: Value): Value {
    return this.apply(this.tf.layers.leakyReLU({ name: this.name("leaky"), alpha: 0.125 }), x);
  }

  sigmoid(x: Value): Value {
    return this.apply(this.tf.layers.activation({ name: this.name("sigmoid"), activation: "sigmoid" }), x);
  }

  multiply(...values: Value[]): Value {
    return only(this.tf.layers.multiply({ name: this.name("multiply") }).apply(values));
  }

  add(...values: Value[]): Value {
    return only(this.tf.layers.add({ name: this.name("add") }).apply(values));
  }

  concatenate(...values: Value[]): Value {
    return only(this.tf.layers.concatenate({ name: this.name("concatenate") }).apply(values));
  }

  /** Zeros around an image: [[top, bottom], [left, right]]. */
  pad(x: Value, padding: [[number, number], [number, number]]): Value {
    return this.apply(this.tf.layers.zeroPadding2d({ name: this.name("pad"), padding }), x);
  }

  /** Rows and columns repeated. */
  upSample(x: Value, size: [number, number]): Value {
    return this.apply(this.tf.layers.upSampling2d({ name: this.name("upsample"), size }), x);
  }

  crop(x: Value, cropping: [[number, number], [number, number]]): Value {
    return this.apply(this.tf.layers.cropping2D({ name: this.name("crop"), cropping }), x);
  }

  maxPool(x: Value, window: Window): Value {
    const { layers } = this.tf;
    return this.apply(
      x.shape.length === 3
        ? layers.maxPooling1d(this.pool1d(window))
        : layers.maxPooling2d(this.pool2d(window)),
      x,
    );
  }

  averagePool(x: Value, window: Window): Value {
    const { layers } = this.tf;
    return this.apply(
      x.shape.length === 3
        ? layers.averagePooling1d(this.pool1d(window))
        : layers.averagePooling2d(this.pool2d(window)),
      x,
    );
  }

  globalAverage(x: Value): Value {
    const { layers } = this.tf;
    const config = { name: this.name("average") };
    return this.apply(
      x.shape.length === 3 ? layers.globalAveragePooling1d(config) : layers.globalAveragePooling2d(config),
      x,
    );
  }

  globalMax(x: Value): Value {
    const { layers } = this.tf;
    const config = { name: this.name("maximum") };
    return this.apply(
      x.shape.length === 3 ? layers.globalMaxPooling1d(config) : layers.globalMaxPooling2d(config),
      x,
    );
  }

  dropout(x: Value, rate: number): Value {
    return this.apply(this.tf.layers.dropout({ name: this.name("dropout"), rate, seed: this.seed }), x);
  }

  flatten(x: Value): Value {
    return this.apply(this.tf.layers.flatten({ name: this.name("flatten") }), x);
  }

  reshape(x: Value, ...targetShape: number[]): Value {
    return this.apply(this.tf.layers.reshape({ name: this.name("reshape"), targetShape }), x);
  }

  softmax(x: Value): Value {
    return this.apply(this.tf.layers.softmax({ name: this.name("softmax") }), x);
  }

  model(name: string, inputs: Value, outputs: Value): Tf.LayersModel {
    return this.tf.model({ name, inputs, outputs });
  }

  private name(what: string): string {
    this.number++;
    return `${what}${this.number}`;
  }

  private initial(): ReturnType<typeof Tf.initializers.heNormal> {
    // The number of the layer makes seeds different.
    return this.tf.initializers.heNormal({ seed: this.seed * 1000 + this.number });
  }

  private window({ kernel, stride = 1, padding = "same", dilation = 1 }: ConvolutionWindow) {
    return { name: this.name("conv"), kernelSize: kernel, strides: stride, padding, dilationRate: dilation };
  }

  private pool1d({ kernel, stride = kernel, padding = "valid" }: Window) {
    return { name: this.name("pool"), poolSize: single(kernel), strides: single(stride), padding };
  }

  private pool2d({ kernel, stride = kernel, padding = "valid" }: Window) {
    return { name: this.name("pool"), poolSize: kernel, strides: stride, padding };
  }

  private apply(layer: Tf.layers.Layer, x: Value): Value {
    return only(layer.apply(x));
  }
}

function single(size: number | [number, number]): number {
  return typeof size === "number" ? size : size[0];
}

/** Layers here have one output; TensorFlow.js types `apply` for all cases. */
function only(result: Tf.Tensor | Tf.Tensor[] | Tf.SymbolicTensor | Tf.SymbolicTensor[]): Value {
  if (Array.isArray(result) || !("sourceLayer" in result)) {
    throw new Error("expected one symbolic tensor");
  }
  return result;
}
