/** Messages of the importers (TMC320x) and the quantiser (TMC322x), for `tmc explain`. */
import type { CatalogueEntry } from "../../diagnostics/catalogue-entry.js";
import { supportedFormats } from "../importers/load-model.js";
import { supportedOperations } from "../importers/tfjs-graph/operations.js";
import { supportedNodes } from "../importers/onnx/operators.js";
import { supportedLayers } from "../import-tfjs-layers.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC3200",
    title: "a file that the model names cannot be read",
    rule: 'A model.json names the shards of its weights in "weightsManifest", an ONNX model its external data; the files lie beside it. All of them must be readable.',
  },
  {
    code: "TMC3201",
    title: "not a model of TensorFlow.js or Keras",
    rule: "The model is the model.json that model.save() of TensorFlow.js or tensorflowjs_converter wrote, with a topology of layers or of TensorFlow's operations.",
    wrong: "tmc model quantize package.json --calibration calibration.samples --out model.tflite",
    right: "tmc model quantize model.json --calibration calibration.samples --out model.tflite",
  },
  {
    code: "TMC3202",
    title: "the weights do not fit the model",
    rule: "The shards together have exactly the bytes that the manifest names, as float32, float16, uint8 or uint16, and every weight is a finite number.",
  },
  {
    code: "TMC3204",
    title: "unsupported layer or operator",
    rule: `A layer or an operator of a model that is not known is refused, never skipped. Supported layers of TensorFlow.js and Keras: ${supportedLayers().join(", ")}. Supported operations of TensorFlow.js graph models: ${supportedOperations()}. Supported operators of ONNX: ${supportedNodes()}.`,
  },
  {
    code: "TMC3205",
    title: "unsupported attribute of a layer or operator",
    rule: "The message names the layer or node, the attribute, its value and what is supported. Layers of Keras and TensorFlow.js work on data that is channels-last; normalisation and softmax act on the channels.",
    wrong: 'tf.layers.dense({ units: 16, activation: "elu" })',
    right: 'tf.layers.dense({ units: 16, activation: "relu" })',
  },
  {
    code: "TMC3206",
    title: "unsupported structure of a network",
    rule: "A network is Sequential or Functional, with one input of known shape, one output, no shared layers and no models as layers.",
    wrong: "tf.input({ shape: [null, 3] })",
    right: "tf.input({ shape: [128, 3] })",
  },
  {
    code: "TMC3207",
    title: "shapes in the topology and the weights differ",
    rule: "Every weight has the shape that follows from its layer's attributes and input; a window fits into its input. Topology and weights come from the same save.",
  },
  {
    code: "TMC3208",
    title: "unknown model format",
    rule: `Models are recognised by their content. Read are: ${supportedFormats()}.`,
    wrong: "tmc model inspect weights.bin",
    right: "tmc model inspect model.json",
  },
  {
    code: "TMC3209",
    title: "a model file is damaged",
    rule: "The container of the model (protobuf, zip, HDF5) must be whole: every length inside the file, every part that the format asks for. Usually the file was cut short or changed in transit.",
  },
  {
    code: "TMC3210",
    title: "the model exceeds a limit of the importers",
    rule: "At most 256 MiB of files, 16 MiB of JSON, 4096 layers or nodes, 6 dimensions, 67,108,864 elements of constants, 16,777,216 elements of one activation and 67,108,864 of all: far above what a microcontroller holds, and a bound on the time and memory that a hostile file can take.",
  },
  {
    code: "TMC3211",
    title: "a model names a file outside its folder",
    rule: 'Shards and external data lie in the folder of the model, or below it. Absolute paths, "..", and links that lead elsewhere are refused: a model from elsewhere must not choose which files of your machine are read.',
  },
  {
    code: "TMC3212",
    title: "quantisation that int8 layers cannot express exactly",
    rule: "A quantised ONNX model becomes int8 layers as TFLite defines them: activations with one scale and an int8 or uint8 zero point (uint8 is shifted by 128, exactly), symmetric int8 weights with one scale or one per output channel, int32 biases of input scale times weight scale, and every layer's output quantised. Anything else is refused rather than approximated.",
    wrong: "quantize_static(…, weight_type=QuantType.QUInt8)",
    right: "quantize_static(…, weight_type=QuantType.QInt8, per_channel=True)",
  },
  {
    code: "TMC3220",
    title: "a data file cannot be read",
    rule: "--calibration and --test name files that exist and can be read.",
  },
  {
    code: "TMC3221",
    title: "not a tmc-samples file",
    rule: 'A data file is one line of JSON, then (only with "labels") one byte per sample with its class, then the numbers, little-endian, sample after sample. For regression "targets" stands instead of "labels": {"shape":[2],"type":"float32","scale":1}, whose numbers follow the inputs, or "inputs" for an autoencoder. "type" is float32, int16, int8 or uint8; number times "scale" (default 1) is the model\'s input. "shape" is without the batch dimension.',
    right:
      '{"format":"tmc-samples","version":1,"count":2,"shape":[128,1,3],"type":"int16","scale":0.0001220703125,"unit":"g","labels":["healthy","imbalance"]}\\n<2 bytes><2*128*3 int16>',
  },
  {
    code: "TMC3222",
    title: "no samples",
    rule: "Calibration finds the range of every tensor by running the float model on representative inputs: some dozens, of every class and operating condition. Without any there is no range.",
  },
  {
    code: "TMC3223",
    title: "samples of another shape than the model's input",
    rule: "Every sample has as many values as the model's input tensor, in the same order (for images and windows: rows, columns, channels).",
  },
  {
    code: "TMC3224",
    title: "labels do not fit the model's output",
    rule: "The decided class is the index of the largest output, so there is one label per output. A target has one number per output.",
  },
  {
    code: "TMC3225",
    title: "a wrong option of tmc model quantize",
    rule: "--max-loss is in percentage points, 0 to 100; --percentile is above 50 and at most 100; --epochs, --batch and --seed are whole numbers, --learning-rate is above 0, --prune and --prune-channels are percent from 0 to 95, and all of them are for --train; --input-range is LOW,HIGH with LOW below HIGH and contains 0.",
    wrong: "tmc model quantize model.json … --input-range 4",
    right: "tmc model quantize model.json … --input-range=-4,3.96875",
  },
  {
    code: "TMC3226",
    title: "the quantised model lost too much accuracy",
    rule: "The accuracy on the test data may fall by at most --max-loss percentage points (of agreement with the float model, when the data has no labels; with targets the error may grow by that many percent). No model is written. The report names the layer that loses most; more representative calibration data, --method entropy or percentile, --bias-correction, fine-tuning with --train, --activations int16, or training with smaller weights and activations (relu6) help.",
  },
  {
    code: "TMC3227",
    title: "the model cannot be quantised",
    rule: "Weights and activations of the source are float32. A model that is int8 already needs no quantisation.",
    wrong: "tmc model quantize int8.tflite …",
    right: "tmc model run int8.tflite …",
  },
  {
    code: "TMC3228",
    title: "the model cannot be written",
    rule: "--out names a file in a directory that exists and can be written.",
  },
  {
    code: "TMC3229",
    title: "the model cannot be fine-tuned",
    rule: "--train trains with the package @tensorflow/tfjs, which must be installed. The message names an operator that cannot be trained; a learning rate that is too high makes the loss infinite.",
    wrong: "tmc model quantize model.json --train train.samples --learning-rate 100 …",
    right: "tmc model quantize model.json --train train.samples --learning-rate 0.0005 …",
  },
];
