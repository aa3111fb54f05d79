/**
 * What the model compiler supports as data, put together from the tables that the reader and the importers use
 * themselves; and as docs/model-operators.md (`npm run docs:operators` writes it).
 */
import { supportedLayers } from "./import-tfjs-layers.js";
import { supportedNodes } from "./importers/onnx/operators.js";
import { supportedOperations } from "./importers/tfjs-graph/operations.js";
import {
  modelLimits,
  operatorSupport,
  supportedOperatorNames,
  type OperatorSupport,
} from "./operator-support.js";
import { operatorSchemas } from "./tflite/schema.js";

export interface OperatorEntry extends OperatorSupport {
  /** As in the .tflite schema. */
  readonly name: string;
  /** Versions 1 to this are read. */
  readonly newestVersion: number;
}

export interface SupportReport {
  /** Of int8 models, by name. */
  readonly operators: readonly OperatorEntry[];
  /** What holds for every model. */
  readonly model: readonly string[];
  /** Other formats, and the layers or operators that are known of each. */
  readonly formats: readonly { readonly format: string; readonly accepts: readonly string[] }[];
}

export function supportReport(): SupportReport {
  const versions = new Map([...operatorSchemas.values()].map(({ name, maxVersion }) => [name, maxVersion]));
  return {
    operators: supportedOperatorNames.map((name) => ({
      name,
      newestVersion: versions.get(name) ?? 0,
      ...operatorSupport[name],
    })),
    model: modelLimits,
    formats: [
      { format: "TensorFlow.js layers model (model.json)", accepts: supportedLayers() },
      { format: "TensorFlow.js graph model (model.json)", accepts: supportedOperations().split(", ") },
      {
        format: "ONNX model (.onnx), float32 or int8 as QuantizeLinear and DequantizeLinear",
        accepts: supportedNodes().split(/, |; of constants and shapes also /),
      },
    ],
  };
}

export const operatorsPage = "docs/model-operators.md";

export function renderOperatorsPage({ operators, model, formats }: SupportReport): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("*", "\\*");
  return [
    "# What models may contain",
    "",
    "<!-- Made from compiler/model/operator-support.ts by `npm run docs:operators`; not by hand. -->",
    "",
    "The int8 compiler executes these operators exactly as TFLite Micro's reference kernels do, bit for bit, on Node.js, host C and",
    "Cortex-M. Anything else is refused with a message that names layer, operator and attribute. `tmc model ops` prints this page.",
    "A fast kernel (portable C, DSP instructions on Cortex-M4) computes an operator when its condition holds for every possible",
    "input; else the portable kernel does, with the same bits.",
    "",
    "## Every model",
    ...model.map((limit) => `- ${limit}`),
    "",
    "## Operators",
    ...operators.flatMap((operator) => [
      "",
      `### ${operator.name}`,
      `Versions 1 to ${operator.newestVersion}.`,
      "",
      "| | |",
      "| --- | --- |",
      `| shapes | ${cell(operator.shapes)} |`,
      `| types | ${cell(operator.types)} |`,
      ...Object.entries(operator.attributes).map(([name, value]) => `| \`${name}\` | ${cell(value)} |`),
      ...operator.limits.map((limit) => `| limit | ${cell(limit)} |`),
      `| fast kernel | ${operator.fast === "" ? "none" : cell(operator.fast)} |`,
    ]),
    "",
    "## Other formats",
    "Float `.tflite` models take the operators above, in float32. Of other formats these layers and operators are known; all but int8",
    "ONNX models are quantised (`tmc model quantize`):",
    ...formats.map(({ format, accepts }) => `- ${format}: ${accepts.join(", ")}`),
    "",
  ].join("\n");
}
