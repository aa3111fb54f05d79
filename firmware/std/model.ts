/**
 * Models in the image: what the build knows of them, and the calls that run them. Quantising, labels and matching of
 * descriptors are in `core/model.ts`.
 */

/** One tensor: int8 elements, real = scale * (q - zeroPoint). */
export interface TensorDescriptor {
  /** Element type; the image's models have "i8". */
  readonly type: string;
  /** With the batch dimension, which is 1. */
  readonly shape: i32[];
  readonly elements: i32;
  readonly scale: f32;
  readonly zeroPoint: i32;
  /** Of the real values; "" unknown. */
  readonly unit: string;
  /** Of the rows, in Hz; 0 unknown. */
  readonly rate: f32;
}

/** From the .tflite file and the model.yaml beside it. */
export interface ModelDescriptor {
  /** For `modelInput`, `modelOutput`, `modelInvoke`. */
  readonly index: i32;
  readonly name: string;
  readonly version: string;
  /** E.g. "classification"; "" unknown. */
  readonly task: string;
  /** SHA-256 of the .tflite file, 64 hexadecimal digits. */
  readonly digest: string;
  readonly input: TensorDescriptor;
  readonly output: TensorDescriptor;
  /** Of the output's last dimension; may be empty. */
  readonly labels: string[];
}

/**
 * Registers the model of this file (relative to the program's main module) with the build. Twice the same path: one
 * model. @setup @binding setup:loadModel
 */
export declare function loadModelDescriptor(path: string): ModelDescriptor;

/** The model's input tensor: write it just before `modelInvoke`. @binding tmc_model_input */
export declare function modelInput(model: i32, tensor: i32): Int8Array;
/** The model's output tensor: read it before writing the input. @binding tmc_model_output */
export declare function modelOutput(model: i32, tensor: i32): Int8Array;
/** @binding tmc_model_invoke */
export declare function modelInvoke(model: i32): void;
