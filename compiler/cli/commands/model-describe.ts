/** `tmc model describe`: makes or corrects a model's descriptor, model.yaml. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import {
  findDescriptor,
  renderDescriptor,
  requireFitting,
  type DescriptorFacts,
} from "../../model/descriptor.js";
import { loadGraph } from "../../model/importers/load-model.js";
import { readModelFile } from "../../model/load.js";
import { describeCommand } from "../help.js";
import { modelGroup } from "./model.js";

interface DescribeOptions {
  readonly name?: string;
  /** `--model-version`: `--version` is the program's own. */
  readonly modelVersion?: string;
  readonly task?: string;
  readonly unit?: string;
  readonly rate?: string;
  readonly labels?: string;
  readonly out?: string;
  readonly check?: true;
}

export function registerModelDescribe(program: Command): void {
  const command = modelGroup(program)
    .command("describe")
    .description(
      "make model.yaml, the descriptor of a model: what follows from the model anew, the rest as it was",
    )
    .argument("<model>", "int8 model file (.tflite, ONNX)")
    .option("--name <name>", "default: as it was, else the file's")
    .option("--model-version <version>", "default: as it was, else 0.1.0")
    .option("--task <task>", "such as classification")
    .option("--unit <unit>", "of the input, such as g")
    .option("--rate <hz>", "samples a second of the input")
    .option("--labels <list>", "names of the classes, separated by commas")
    .option("--out <file>", "the file to write, such as model.yaml; default: print it")
    .option("--check", "write nothing: compare the descriptor beside the model with the model")
    .action(describe);
  describeCommand(command, {
    examples: [
      [
        "tmc model describe model.tflite --labels idle,running --unit g --rate 1600 --out model.yaml",
        "make it",
      ],
      ["tmc model describe model.tflite --check", "does the descriptor fit the model?"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

function describe(path: string, options: DescribeOptions): void {
  const graph = loadGraph(path);
  const bytes = readModelFile(path, "model");
  const before = findDescriptor(path);
  if (options.check === true) {
    if (before === undefined) {
      throw usage(
        `there is no descriptor beside ${path}`,
        "Make one: tmc model describe MODEL --out model.yaml.",
      );
    }
    requireFitting(before, graph, path, bytes);
    process.stdout.write(`${before.path} fits ${path}\n`);
    return;
  }
  const text = renderDescriptor(graph, path, bytes, before?.descriptor ?? {}, facts(options));
  if (options.out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(options.out, text);
  } catch (error) {
    throw usage(
      `cannot write ${options.out}: ${error instanceof Error ? error.message : String(error)}`,
      "Give --out a file in a directory that exists and can be written.",
    );
  }
  process.stdout.write(`wrote ${options.out}\n`);
}

function facts({ name, modelVersion, task, unit, rate, labels }: DescribeOptions): DescriptorFacts {
  const rateHz = rate === undefined ? undefined : Number(rate);
  if (rateHz !== undefined && !(rateHz > 0 && Number.isFinite(rateHz))) {
    throw usage(`--rate ${rate ?? ""}: not a positive number`, "Give samples a second, such as --rate 1600.");
  }
  const names = labels?.split(",").map((label) => label.trim());
  if (names?.some((label) => label === "") === true) {
    throw usage(`--labels ${labels ?? ""}: an empty label`, "Give names like --labels idle,running.");
  }
  return { name, version: modelVersion, task, unit, rateHz, labels: names };
}

function usage(message: string, fix: string): UserError {
  return new UserError("TMC0005", message, fix, ExitCode.usage);
}
