/** Messages of the model compiler (TMC30xx), for `tmc explain`. The quantiser and the importers keep their own. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";
import { supportedOperators } from "./operator-support.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC3001",
    title: "not a .tflite model",
    rule: 'A model file is a flatbuffer with the identifier "TFL3" at byte 4 and schema version 3.',
    wrong: "tmc model inspect notes.tflite",
    right: "tmc model inspect model.tflite",
  },
  {
    code: "TMC3002",
    title: "the model file is damaged",
    rule: "Every offset, count and size in the file must stay inside the file. The message names the part of the schema where it does not. Usually the file was cut short or changed in transit.",
  },
  {
    code: "TMC3003",
    title: "the model exceeds a limit of the compiler",
    rule: "At most 4096 tensors, operators and operator codes, 6 dimensions, 64 MiB per tensor, 64 MiB of weights, 65,536 output channels, 256 MiB of activations: far above what a microcontroller holds, and a bound on the time that a hostile file can take.",
  },
  {
    code: "TMC3004",
    title: "the model's structure is not supported",
    rule: "A model has one subgraph with at least one input and one output, no variable, sparse or external tensors, no unknown dimensions, batch size 1.",
  },
  {
    code: "TMC3010",
    title: "unsupported operator",
    rule: `The int8 compiler executes ${supportedOperators}, exactly as TFLite Micro's reference kernels do. An operator that it does not know is refused, never approximated.`,
  },
  {
    code: "TMC3011",
    title: "unsupported operator version",
    rule: "The version of an operator grows when its meaning gets new attributes. A version that is newer than what the compiler knows could mean something else, so it is refused.",
  },
  {
    code: "TMC3012",
    title: "unsupported operator attribute",
    rule: "The message names the operator, the attribute, its value and what is supported. Fused activations: NONE, RELU, RELU6, RELU_N1_TO_1. Elementwise operators broadcast over at most 4 dimensions. Filters and biases are constants.",
  },
  {
    code: "TMC3013",
    title: "shapes do not fit the operator",
    rule: "The shapes of an operator's tensors must follow from each other and from its attributes (stride, dilation, padding), by the rules of the TFLite schema.",
  },
  {
    code: "TMC3014",
    title: "tensors are used in an impossible order",
    rule: "Operators stand in execution order; a tensor is a constant, an input of the model, or written by exactly one earlier operator.",
  },
  {
    code: "TMC3020",
    title: "unsupported tensor type",
    rule: "An executable model has int8 activations and weights and int32 biases, or int16 activations, int8 weights and int64 biases, which `tmc model ops` lists the operators of. A float model is quantised first.",
    wrong: "tmc model run float.tflite --input window.bin",
    right:
      "tmc model quantize float.tflite … --out model.tflite; tmc model run model.tflite --input window.bin",
  },
  {
    code: "TMC3021",
    title: "quantisation parameters are missing or malformed",
    rule: "Activations have one positive finite scale and one zero point in -128..127, 0 of int16; weights have one scale, or one per output channel, and zero points 0. Pooling, MINIMUM, MAXIMUM, and what only moves or selects data (CONCATENATION, PAD, SLICE, TRANSPOSE, REDUCE_MAX and so on) keep the parameters of their inputs; the outputs of SOFTMAX and LOGISTIC have scale 1/256 and zero point -128, of TANH 1/128 and 0.",
  },
  {
    code: "TMC3022",
    title: "scales outside the integer arithmetic",
    rule: "The ratio of an operator's scales becomes a 31-bit multiplier and a shift of at most 30 to the left. TFLite Micro refuses or misbehaves beyond that, so the compiler refuses.",
  },
  {
    code: "TMC3030",
    title: "a model input or output file has the wrong size",
    rule: "--input and --output are raw tensors in NHWC order: one byte per element of int8, two of int16 (the low one first), without header, the model's inputs one after the other.",
  },
  {
    code: "TMC3031",
    title: "targets computed different outputs",
    rule: "Node.js, host C and Cortex-M4 must give equal bytes on every layer. A difference is a bug of the compiler, a kernel or a toolchain; the message names the first layer and element that differ.",
  },
  {
    code: "TMC3032",
    title: "the output differs from the golden file",
    rule: "When the file named by --output exists, the computed output must equal it byte for byte; when it does not exist, it is written.",
  },
  {
    code: "TMC3033",
    title: "a layer differs from its golden file or dump",
    rule: "--layers DIR holds opNN_tensorT.bin = the raw int8 output tensor T of operator NN. When the directory has such files, each is compared; when it is empty or absent, they are written.",
  },
  {
    code: "TMC3034",
    title: "a model file cannot be read",
    rule: "The file must exist, be readable, and be at most 256 MiB.",
  },
  {
    code: "TMC3035",
    title: "the compiled model crashed on a target",
    rule: "A generated model cannot fail: it neither allocates nor checks at run time. A crash is a bug of the compiler, a kernel or a port.",
  },
  {
    code: "TMC3036",
    title: "dumps of another interpreter are missing or of another model",
    rule: "`tmc model verify` wants one file for each operator of the model in --dumps DIR: opNN_tensorT.bin holds the raw elements of output tensor T of operator NN, row-major, without header, numbered as in the .tflite (NN has two digits at least). A layer without a dump is refused unless --partial is given; a dump that belongs to no operator means that the folder is of another model.",
    wrong: "tmc model verify model.tflite --input in.bin --dumps empty-folder",
    right: "tmc model verify model.tflite --input in.bin --dumps layers",
  },
  {
    code: "TMC3060",
    title: "the model cannot be packaged",
    rule: "A model package holds layers that the kernels of the firmware compute from numbers and packed weights: the operators of docs/model-operators.md with int8 tensors. Inputs and outputs are int8 tensors that are computed, of at most 6 dimensions. The message names the layer that is something else; compiled into the firmware, the model may still run.",
  },
  {
    code: "TMC3061",
    title: "not a model package that a node would accept",
    rule: "The file is checked as a node checks it (tmc/package.h): magic number, version, kernel set, digest, and every size, offset and number of every step. The message says what is wrong and at which step.",
    wrong: "tmc model inspect model.tflite.tmcm",
    right: "tmc model package model.tflite -o model.tmcm; tmc model inspect model.tmcm",
  },
  {
    code: "TMC3062",
    title: "the package does not fit the slot",
    rule: "--flash and --ram say what the slot of the node has, --work how much an inference may take. A package that exceeds one of them would be refused by the node, so it is not written.",
    wrong: "tmc model package model.tflite -o model.tmcm --flash 16384",
    right: "tmc model package model.tflite -o model.tmcm --flash 65536",
  },
];
