/**
 * The models of the zoo: small networks that between them use what the importer and the compiler support, each with its
 * data and how long to train it. They are for tests and as examples; none is meant for use.
 */
import type * as Tf from "@tensorflow/tfjs";
import * as images from "./data-images.js";
import * as waves from "./data-waves.js";
import type { MakeSample } from "./data-waves.js";
import type { Layers } from "./layers.js";

export interface ZooModel {
  readonly name: string;
  /** For the table. */
  readonly what: string;
  readonly make: MakeSample;
  /** Of one input, without the batch dimension. */
  readonly shape: readonly number[];
  /** Class names; empty for models that put out numbers. */
  readonly labels: readonly string[];
  /** The model is to give its input back. */
  readonly autoencoder?: true;
  readonly build: (net: Layers) => Tf.LayersModel;
  /** Samples and passes over them. */
  readonly count: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Trained as a folded graph and kept as a float .tflite, for what TensorFlow.js cannot train as layers. */
  readonly asGraph?: true;
}

const wave = { make: waves.makeWave, labels: waves.waveLabels };
const gesture = { make: waves.makeGesture, labels: waves.gestureLabels };
const sound = { make: waves.makeSpectrum, labels: waves.soundLabels, shape: [waves.frames, waves.bands, 1] };
const station = { make: waves.makeStation, labels: waves.stationLabels, shape: [waves.readings] };
const figure = {
  make: images.makeFigure,
  labels: images.figureLabels,
  shape: [images.figureSize, images.figureSize, 1],
};
const scene = {
  make: images.makeScene,
  labels: images.sceneLabels,
  shape: [images.sceneHeight, images.sceneWidth, 3],
};
const digit = {
  make: images.makeDigit,
  labels: images.digitLabels,
  shape: [images.digitHeight, images.digitWidth, 1],
};
const usual = { count: 600, epochs: 8, learningRate: 0.01 };

export const zoo: readonly ZooModel[] = [
  {
    name: "dense-station",
    what: "three dense layers, relu6",
    ...station,
    ...usual,
    count: 1500,
    epochs: 20,
    build: (net) => {
      const input = net.input(waves.readings);
      let x = net.relu6(net.dense(input, 32));
      x = net.relu6(net.dense(x, 24));
      x = net.softmax(net.dense(x, waves.stationLabels.length));
      return net.model("dense-station", input, x);
    },
  },
  {
    name: "dense-normalized",
    what: "dense, batch normalisation, dropout, residual",
    ...station,
    ...usual,
    count: 1500,
    epochs: 16,
    build: (net) => {
      const input = net.input(waves.readings);
      let x = net.relu(net.normalize(net.dense(net.normalize(input), 28)));
      x = net.dropout(x, 0.05);
      const y = net.relu(net.normalize(net.dense(x, 28)));
      x = net.add(x, y);
      x = net.softmax(net.dense(x, waves.stationLabels.length));
      return net.model("dense-normalized", input, x);
    },
  },
  {
    name: "wave-conv1d",
    what: "1-D convolutions, strides, maximum and global average",
    ...wave,
    ...usual,
    shape: [waves.waveLength, 1],
    build: (net) => {
      const input = net.input(waves.waveLength, 1);
      let x = net.relu(net.conv(input, 8, { kernel: 9, stride: 2 }));
      x = net.maxPool(x, { kernel: 2 });
      x = net.relu(net.conv(x, 12, { kernel: 5, stride: 1, padding: "valid" }));
      x = net.relu(net.conv(x, 16, { kernel: 3, stride: 2 }));
      x = net.softmax(net.dense(net.globalAverage(x), waves.waveLabels.length));
      return net.model("wave-conv1d", input, x);
    },
  },
  {
    name: "wave-dilated",
    what: "1-D convolutions with dilations 1, 2, 4, 8, residual",
    ...wave,
    ...usual,
    shape: [waves.waveLength, 1],
    epochs: 7,
    asGraph: true,
    build: (net) => {
      const input = net.input(waves.waveLength, 1);
      let x = net.relu(net.conv(input, 8, { kernel: 5, stride: 2 }));
      for (const dilation of [1, 2, 4, 8]) {
        const y = net.relu(net.conv(x, 8, { kernel: 3, dilation }));
        x = dilation === 1 ? y : net.add(x, y);
      }
      x = net.softmax(net.dense(net.globalMax(x), waves.waveLabels.length));
      return net.model("wave-dilated", input, x);
    },
  },
  {
    name: "gesture-separable",
    what: "separable convolutions, depth multipliers 3 and 2",
    ...gesture,
    ...usual,
    count: 1000,
    epochs: 10,
    shape: [waves.gestureLength, 1, 3],
    build: (net) => {
      const input = net.input(waves.gestureLength, 1, 3);
      let x = net.relu(net.separable(input, 12, { kernel: [7, 1], stride: 2 }, 3));
      x = net.relu(net.separable(x, 16, { kernel: [5, 1], stride: 2 }, 2));
      x = net.averagePool(x, { kernel: [4, 1] });
      x = net.softmax(net.dense(net.flatten(x), waves.gestureLabels.length));
      return net.model("gesture-separable", input, x);
    },
  },
  {
    name: "gesture-residual",
    what: "1-D residual blocks with batch normalisation",
    ...gesture,
    ...usual,
    count: 1200,
    shape: [waves.gestureLength, 3],
    build: (net) => {
      const input = net.input(waves.gestureLength, 3);
      let x = net.relu(net.normalize(net.conv(input, 8, { kernel: 7, stride: 2, bias: false })));
      let y = net.relu(net.normalize(net.conv(x, 8, { kernel: 3, bias: false })));
      x = net.relu(net.add(x, net.normalize(net.conv(y, 8, { kernel: 3, bias: false }))));
      y = net.relu(net.normalize(net.conv(x, 12, { kernel: 3, stride: 2, bias: false })));
      x = net.relu(net.add(net.normalize(net.conv(x, 12, { kernel: 1, stride: 2, bias: false })), y));
      x = net.globalAverage(x);
      x = net.softmax(net.dense(x, waves.gestureLabels.length));
      return net.model("gesture-residual", input, x);
    },
  },
  {
    name: "figure-conv",
    what: "2-D convolutions without padding, odd windows of maxima",
    ...figure,
    ...usual,
    build: (net) => {
      const input = net.input(...figure.shape);
      let x = net.relu(net.conv(input, 8, { kernel: 3, padding: "valid" }));
      x = net.maxPool(x, { kernel: [3, 2], stride: [2, 2] });
      x = net.relu(net.conv(x, 12, { kernel: [2, 3], padding: "valid" }));
      x = net.relu(net.conv(x, 12, { kernel: 3, stride: 2 }));
      x = net.relu(net.dense(net.flatten(x), 16));
      x = net.softmax(net.dense(x, images.figureLabels.length));
      return net.model("figure-conv", input, x);
    },
  },
  {
    name: "figure-residual",
    what: "2-D residual blocks, one with a strided shortcut",
    ...figure,
    ...usual,
    build: (net) => {
      const input = net.input(...figure.shape);
      let x = net.relu(net.normalize(net.conv(input, 8, { kernel: 3, stride: 2, bias: false })));
      let y = net.relu(net.normalize(net.conv(x, 8, { kernel: 3, bias: false })));
      x = net.relu(net.add(x, net.normalize(net.conv(y, 8, { kernel: 3, bias: false }))));
      y = net.relu(net.normalize(net.conv(x, 16, { kernel: 3, stride: 2, bias: false })));
      y = net.normalize(net.conv(y, 16, { kernel: 3, bias: false }));
      x = net.relu(net.add(net.conv(x, 16, { kernel: 1, stride: 2, padding: "valid" }), y));
      x = net.softmax(net.dense(net.globalAverage(x), images.figureLabels.length));
      return net.model("figure-residual", input, x);
    },
  },
  {
    name: "digit-classic",
    what: "5x5 convolutions, averages, three dense layers",
    ...digit,
    ...usual,
    count: 1000,
    build: (net) => {
      const input = net.input(...digit.shape);
      let x = net.relu(net.conv(input, 6, { kernel: 5 }));
      x = net.averagePool(x, { kernel: 2 });
      x = net.relu(net.conv(x, 12, { kernel: [4, 3], padding: "valid" }));
      x = net.averagePool(x, { kernel: 2 });
      x = net.relu(net.dense(net.flatten(x), 30));
      x = net.relu(net.dense(x, 20));
      x = net.softmax(net.dense(x, images.digitLabels.length));
      return net.model("digit-classic", input, x);
    },
  },
  {
    name: "digit-pools",
    what: "overlapping windows of maxima and averages with padding, global maximum",
    ...digit,
    ...usual,
    count: 1000,
    build: (net) => {
      const input = net.input(...digit.shape);
      let x = net.relu(net.conv(input, 8, { kernel: 3 }));
      x = net.maxPool(x, { kernel: 3, stride: 2, padding: "same" });
      x = net.relu(net.conv(x, 16, { kernel: 3 }));
      x = net.averagePool(x, { kernel: [2, 3], stride: [1, 2], padding: "same" });
      x = net.relu(net.conv(x, 24, { kernel: 3 }));
      x = net.globalMax(x);
      x = net.softmax(net.dense(x, images.digitLabels.length));
      return net.model("digit-pools", input, x);
    },
  },
  {
    name: "scene-mobile",
    what: "depthwise-separable blocks, batch normalisation, relu6, odd sizes, depth multiplier 2",
    ...scene,
    ...usual,
    build: (net) => {
      const input = net.input(...scene.shape);
      let x = net.relu6(net.normalize(net.conv(input, 8, { kernel: 3, stride: 2, bias: false })));
      x = net.relu6(net.normalize(net.depthwise(x, { kernel: 3, bias: false }, 2)));
      x = net.relu6(net.normalize(net.conv(x, 16, { kernel: 1, bias: false })));
      x = net.relu6(net.normalize(net.depthwise(x, { kernel: 3, stride: 2, bias: false })));
      x = net.relu6(net.normalize(net.conv(x, 20, { kernel: 1, bias: false })));
      x = net.softmax(net.dense(net.globalAverage(x), images.sceneLabels.length));
      return net.model("scene-mobile", input, x);
    },
  },
  {
    name: "scene-allconv",
    what: "convolutions alone, strides that differ by direction, reshape",
    ...scene,
    ...usual,
    epochs: 12,
    build: (net) => {
      const input = net.input(...scene.shape);
      let x = net.relu(net.conv(input, 8, { kernel: 3, stride: [2, 1] }));
      x = net.relu(net.conv(x, 12, { kernel: [3, 5], stride: [1, 2] }));
      x = net.relu(net.conv(x, 16, { kernel: 3, stride: 2, padding: "valid" }));
      x = net.conv(x, images.sceneLabels.length, { kernel: [3, 4], padding: "valid" });
      x = net.softmax(net.reshape(x, images.sceneLabels.length));
      return net.model("scene-allconv", input, x);
    },
  },
  {
    name: "sound-keywords",
    what: "the shape of MLPerf Tiny's keyword model, smaller: 10x4 window, depthwise-separable",
    ...sound,
    ...usual,
    epochs: 4,
    build: (net) => {
      const input = net.input(...sound.shape);
      let x = net.relu(net.normalize(net.conv(input, 12, { kernel: [10, 4], stride: 2, bias: false })));
      for (let block = 0; block < 2; block++) {
        x = net.relu(net.normalize(net.depthwise(x, { kernel: 3, bias: false })));
        x = net.relu(net.normalize(net.conv(x, 12, { kernel: 1, bias: false })));
      }
      x = net.averagePool(x, { kernel: [13, 7] });
      x = net.softmax(net.dense(net.flatten(x), waves.soundLabels.length));
      return net.model("sound-keywords", input, x);
    },
  },
  {
    name: "figure-inception",
    what: "branches joined by concatenation, explicit padding",
    ...figure,
    ...usual,
    build: (net) => {
      const input = net.input(...figure.shape);
      const padding: [[number, number], [number, number]] = [
        [0, 1],
        [0, 1],
      ];
      let x = net.relu(net.conv(net.pad(input, padding), 8, { kernel: 3, stride: 2, padding: "valid" }));
      const narrow = net.relu(net.conv(x, 4, { kernel: 1 }));
      const wide = net.relu(net.conv(net.relu(net.conv(x, 4, { kernel: 1 })), 8, { kernel: 3 }));
      const pooled = net.conv(net.maxPool(x, { kernel: 3, stride: 1, padding: "same" }), 4, { kernel: 1 });
      x = net.concatenate(narrow, wide, net.relu(pooled));
      x = net.relu(net.conv(x, 16, { kernel: 3, stride: 2 }));
      x = net.softmax(net.dense(net.flatten(x), images.figureLabels.length));
      return net.model("figure-inception", input, x);
    },
  },
  {
    name: "sound-excite",
    what: "squeeze and excitation, leaky relu, sigmoid",
    ...sound,
    ...usual,
    epochs: 6,
    build: (net) => {
      const input = net.input(...sound.shape);
      let x = net.leaky(net.conv(input, 8, { kernel: [5, 3], stride: 2 }));
      x = net.leaky(net.conv(x, 12, { kernel: 3, stride: 2 }));
      const squeezed = net.relu(net.dense(net.globalAverage(x), 4));
      const excited = net.sigmoid(net.dense(squeezed, 12));
      x = net.multiply(x, net.reshape(excited, 1, 1, 12));
      x = net.leaky(net.conv(x, 12, { kernel: 3 }));
      x = net.softmax(net.dense(net.globalAverage(x), waves.soundLabels.length));
      return net.model("sound-excite", input, x);
    },
  },
  {
    name: "figure-decoder",
    what: "2-D convolutional autoencoder, nearest upsampling, cropping",
    make: images.makeFigure,
    labels: [],
    autoencoder: true,
    shape: figure.shape,
    ...usual,
    epochs: 6,
    build: (net) => {
      const input = net.input(...figure.shape);
      let x = net.conv(input, 12, { kernel: 4, stride: 2 });
      x = net.leaky(net.conv(x, 8, { kernel: 3 }));
      const padding: [[number, number], [number, number]] = [
        [1, 0],
        [0, 1],
      ];
      const cropping: [[number, number], [number, number]] = [
        [2, 0],
        [0, 2],
      ];
      x = net.crop(net.upSample(net.pad(x, padding), [2, 2]), cropping);
      x = net.leaky(net.conv(x, 8, { kernel: 3 }));
      return net.model("figure-decoder", input, net.conv(x, 1, { kernel: 3 }));
    },
  },
  {
    name: "tone-regression",
    what: "frequency and amplitude of a tone: two numbers",
    make: waves.makeTone,
    labels: [],
    shape: [waves.tonesLength, 1],
    ...usual,
    count: 1200,
    epochs: 12,
    build: (net) => {
      const input = net.input(waves.tonesLength, 1);
      let x = net.relu(net.conv(input, 12, { kernel: 7, stride: 2 }));
      x = net.relu(net.conv(x, 12, { kernel: 5, stride: 2 }));
      x = net.relu(net.conv(x, 8, { kernel: 3, stride: 2 }));
      x = net.relu(net.dense(net.flatten(x), 24));
      return net.model("tone-regression", input, net.dense(x, 2));
    },
  },
  {
    name: "machine-autoencoder",
    what: "dense autoencoder with a waist of 4",
    make: waves.makeMachine,
    labels: [],
    autoencoder: true,
    shape: [waves.machineBands],
    ...usual,
    count: 1500,
    epochs: 20,
    build: (net) => {
      const input = net.input(waves.machineBands);
      let x = net.relu(net.dense(input, 24));
      x = net.dense(x, 4);
      x = net.relu(net.dense(x, 24));
      return net.model("machine-autoencoder", input, net.dense(x, waves.machineBands));
    },
  },
];
