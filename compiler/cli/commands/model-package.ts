/** `tmc model package`: a model as data for nodes whose firmware has the kernels; and what `tmc model inspect` prints of it. */
import { writeFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { UserError } from "../../diagnostics/user-error.js";
import { splitTensors } from "../../model/execute/inference.js";
import { findDescriptor } from "../../model/descriptor.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { ModelSource } from "../../model/importers/model-source.js";
import type { PackageAbout } from "../../model/package/about.js";
import { readModelFile } from "../../model/load.js";
import { checkPackage, unboundedSlot, verdictText } from "../../model/package/check.js";
import { Reason } from "../../model/package/format.js";
import { readPackage, type ModelPackage } from "../../model/package/read.js";
import { packageModel } from "../../model/package/write.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { modelGroup } from "./model.js";

export const PACKAGE_SUFFIX = ".tmcm";

interface PackageCommandOptions {
  readonly out: string;
  readonly golden?: string;
  readonly name?: string;
  readonly flash?: number;
  readonly ram?: number;
  readonly work?: number;
  readonly json?: true;
}

export function registerModelPackage(program: Command): void {
  const command = modelGroup(program)
    .command("package")
    .description("make a model package, which a node accepts without a firmware build")
    .argument("<model>", "int8 model file (.tflite, ONNX)")
    .requiredOption("-o, --out <file>", `where to write it (*${PACKAGE_SUFFIX})`)
    .option("--golden <file>", "raw int8 inputs: kept with their outputs, for the node's self-test")
    .option("--name <name>", "up to 32 bytes (default: the file's name)")
    .option("--flash <bytes>", "of the node's slot: a larger package is refused", count)
    .option("--ram <bytes>", "of the node's slot: a package that needs more is refused", count)
    .option("--work <operations>", "most multiplications, comparisons and copies of an inference", count)
    .option("--json", "print for programs")
    .action(run);
  describeCommand(command, {
    examples: [
      ["tmc model package model.tflite -o model.tmcm", "weights and layers as data"],
      ["tmc model package model.tflite -o model.tmcm --golden in.bin", "with a self-test"],
      ["tmc model package model.tflite -o model.tmcm --flash 65536 --ram 16384", "for a slot of this size"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

/** What the descriptor beside the model says, as far as nodes tell it. */
function aboutModel(path: string): PackageAbout {
  const descriptor = findDescriptor(path)?.descriptor;
  return {
    task: descriptor?.task ?? "",
    labels: descriptor?.output?.labels ?? [],
    unit: descriptor?.input?.unit ?? "",
    rate: descriptor?.input?.rate_hz ?? 0,
    digest: ModelSource.open(path).digest(),
  };
}

function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value >= 2 ** 32) {
    throw new InvalidArgumentError("a whole number from 1 on is expected");
  }
  return value;
}

function run(path: string, options: PackageCommandOptions): void {
  const graph = loadGraph(path);
  const about = aboutModel(path);
  const golden =
    options.golden === undefined
      ? undefined
      : splitTensors(graph, graph.inputs, readModelFile(options.golden, "input"), options.golden);
  const bytes = packageModel(graph, {
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(golden === undefined ? {} : { golden }),
    about,
  });
  const verdict = checkPackage(bytes, {
    flash: options.flash ?? unboundedSlot.flash,
    ram: options.ram ?? unboundedSlot.ram,
    work: options.work ?? 0,
  });
  const made = readPackage(bytes, options.out);
  if (verdict.reason !== Reason.ok) {
    throw new UserError(
      "TMC3062",
      `the package of ${graph.name} does not fit: ${verdictText(verdict)} (${bytes.length} bytes of flash, ${made.arenaBytes} of RAM, work ${made.work})`,
      "Give the slot more room, or make the model smaller.",
    );
  }
  writeFileSync(options.out, bytes);
  printPackage(made, options.json === true);
}

/** What `tmc model inspect` prints of a package. */
export function printPackage(model: ModelPackage, json: boolean): void {
  const { name, bytes, arenaBytes, work, kernels, inputs, outputs, golden, about, steps } = model;
  if (json) {
    const listed = steps.map(({ layer, kernel }) => ({ operator: layer.operator, kernel }));
    const selfTest = golden.length > 0;
    printJson({
      name,
      bytes: bytes.length,
      arenaBytes,
      work,
      selfTest,
      kernels,
      inputs,
      outputs,
      about: about ?? null,
      steps: listed,
    });
    return;
  }
  const ends = (what: string, list: typeof inputs): string[] =>
    list.map(
      ({ shape, scale, zeroPoint }, i) =>
        `${what} ${i}`.padEnd(10) +
        `int8 ${shape.join("x") || "scalar"}  ${scale.toPrecision(5)}, ${zeroPoint}`,
    );
  const lines = [
    `${name}: model package, ${steps.length} steps`,
    ...ends("input", inputs),
    ...ends("output", outputs),
    `flash     ${bytes.length} bytes`,
    `RAM       ${arenaBytes} bytes`,
    `work      ${work} multiplications, comparisons and copies`,
    `kernels   ${kernels.join(", ")}`,
    `self-test ${golden.length > 0 ? "yes" : "none"}`,
    ...(about === undefined ? [] : aboutLines(about)),
    ...steps.map(({ layer, kernel }) => `  op ${String(layer.operator).padStart(3)}  ${kernel}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function aboutLines({ task, labels, unit, rate, digest }: PackageAbout): string[] {
  const line = (name: string, value: string): string[] =>
    value === "" ? [] : [`${name.padEnd(10)}${value}`];
  return [
    ...line("task", task),
    ...line("labels", labels.join(", ")),
    ...line("unit", unit),
    ...line("rate", rate === 0 ? "" : `${rate} Hz`),
    ...line("model", digest),
  ];
}
