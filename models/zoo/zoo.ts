/**
 * `npm run zoo`: trains the models of `networks.ts`, quantises them, compares Node.js, host C and Cortex-M4, measures
 * them, and prints a table. Exit code 1 when one loses more than 1 % or differs anywhere.
 *
 *   npm run zoo                        trains in a temporary folder: some minutes on one core
 *   npm run zoo -- --keep-weights      the trained models of the repository: no training
 *   npm run zoo -- --write             trains, and keeps the models in the repository
 *   npm run zoo -- NAME … [--out DIR]  only these; DIR/NAME/model.tflite is written
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { findBoard } from "../../compiler/board/board.js";
import { measureModel } from "../../compiler/model/execute/bench.js";
import { differencesOn, maxLoss, quantizeModel, type CheckedModel } from "./check.js";
import { zoo, type ZooModel } from "./networks.js";
import { isTrained, modelFile, trainModel } from "./train.js";

const board = "qemu_cortex_m4";
const targets = ["host", board] as const;

/** Whether training gave the bytes that the repository has. */
function sameAsKept(model: ZooModel, directory: string): boolean {
  const files = [modelFile(model, directory), modelFile(model)];
  const [made, kept] =
    model.asGraph === true ? files : files.map((file) => join(dirname(file), "weights.bin"));
  return isTrained(model) && readFileSync(made ?? "").equals(readFileSync(kept ?? ""));
}

/** "91.2 % → 91.0 %" or "0.0512 → 0.0515". */
function quality({ loss }: CheckedModel): string {
  const { accuracy, error } = loss;
  if (accuracy !== undefined) {
    return `${(100 * accuracy.float).toFixed(1)} % → ${(100 * accuracy.int8).toFixed(1)} %`;
  }
  return error === undefined ? "-" : `error ${error.float.toFixed(4)} → ${error.int8.toFixed(4)}`;
}

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "keep-weights": { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      out: { type: "string" },
    },
  });
  const unknown = positionals.find((name) => !zoo.some((model) => model.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no model "${unknown}"; there are ${zoo.map((model) => model.name).join(", ")}`);
  }
  const chosen = zoo.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const temporary = mkdtempSync(join(tmpdir(), "tmc-zoo-"));
  const directory = options["keep-weights"] || options.write ? undefined : temporary;
  try {
    if (!options["keep-weights"]) {
      for (const model of chosen) {
        const start = Date.now();
        const loss = await trainModel(model, directory);
        const seconds = ((Date.now() - start) / 1000).toFixed(0);
        const same =
          directory !== undefined && sameAsKept(model, directory) ? ", weights as in the repository" : "";
        console.log(`${model.name}: trained in ${seconds} s, loss ${loss.toFixed(4)}${same}`);
      }
    }
    await check(chosen, directory, options.out);
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

async function check(
  chosen: readonly ZooModel[],
  directory: string | undefined,
  out?: string,
): Promise<void> {
  const checked = chosen.map((model) => quantizeModel(model, directory));
  const failures = new Map<string, string>();
  for (const { model, measured } of checked) {
    if (!(measured.lost <= maxLoss)) {
      failures.set(model.name, `loses ${measured.lost.toFixed(2)} %`);
    }
  }
  for (const target of targets) {
    (await differencesOn(target, checked)).forEach((difference, name) => failures.set(name, difference));
  }
  const rows = [
    "| model | float → int8 | lost % | MACs | instructions | flash | RAM | |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
  ];
  for (const { model, graph, file, ...rest } of checked) {
    if (out !== undefined) {
      mkdirSync(join(out, model.name), { recursive: true });
      writeFileSync(join(out, model.name, "model.tflite"), file);
    }
    const cost = await measureModel(findBoard(board), { graph });
    const flash = cost.flash.model + cost.flash.kernels + cost.flash.libraries;
    const numbers = [cost.macs, cost.instructions, flash, cost.ram.arena + cost.ram.weights].map((n) =>
      n.toLocaleString("en-US"),
    );
    const state = failures.get(model.name) ?? "equal on Node.js, host C, Cortex-M4";
    rows.push(
      `| ${model.name} | ${quality({ model, graph, file, ...rest })} | ${rest.measured.lost.toFixed(2)} | ${numbers.join(" | ")} | ${state} |`,
    );
  }
  console.log(rows.join("\n"));
  console.log(`${checked.length} models, ${failures.size} failed`);
  process.exitCode = failures.size === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
