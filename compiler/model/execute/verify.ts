/**
 * Compares an inference with the dumps of another interpreter: one file `opNN_tensorT.bin` for each operator, the raw
 * elements of its output tensor T, row-major, little-endian, no header. Says which layers were compared, which could
 * not be, and how far each is away. Writes nothing.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { type Graph } from "../graph.js";
import { describeDifference, differ, layerPlace, type Difference } from "./compare.js";
import { layerFileName } from "./golden.js";
import { splitTensors, type Inference } from "./inference.js";

export interface LayerVerdict {
  readonly operator: number;
  readonly tensor: number;
  readonly elements: number;
  /** Elements that differ by more than the tolerance. */
  readonly differing: number;
  /** Largest difference of one element, in steps of the quantisation. */
  readonly largest: number;
}

export interface Verification {
  readonly folder: string;
  /** In execution order. */
  readonly layers: readonly LayerVerdict[];
  /** The first element, in the first layer in execution order, that differs by more than the tolerance. */
  readonly first: Difference | undefined;
  /** Dumped tensors that the compiled model does not compute: a pass removed them. */
  readonly notComputed: readonly string[];
  /** Layers without a dump; empty unless `partial`. */
  readonly missing: readonly string[];
}

export interface VerifyOptions {
  /** Differences up to this are accepted, in steps of the quantisation. */
  readonly tolerance: number;
  /** Layers without a dump are left out instead of refused. */
  readonly partial: boolean;
}

/**
 * Compares every layer of `inference` with its dump in `folder`.
 * @throws UserError TMC3036 for a folder without dumps, missing dumps, dumps of tensors that the model does not have;
 * TMC3030 for dumps of another size.
 */
export function verifyDumps(
  graph: Graph,
  inference: Inference,
  folder: string,
  { tolerance, partial }: VerifyOptions,
): Verification {
  const dumps = new Set(dumpNames(folder));
  const layers: LayerVerdict[] = [];
  const missing: string[] = [];
  let first: Difference | undefined;
  for (const { operator, tensor, data } of inference.layers) {
    const name = layerFileName(operator, tensor);
    if (!dumps.delete(name)) {
      missing.push(name);
      continue;
    }
    const file = join(folder, name);
    const [dumped = new Int8Array(0)] = splitTensors(graph, [tensor], readFileSync(file), file);
    // Within the tolerance counts as equal.
    const expected = dumped.map((value, i) => {
      const own = data[i] ?? 0;
      return Math.abs(value - own) <= tolerance ? own : value;
    });
    const largest = dumped.reduce((most, value, i) => Math.max(most, Math.abs(value - (data[i] ?? 0))), 0);
    const difference = differ(graph, tensor, data, expected);
    layers.push({ operator, tensor, elements: data.length, differing: difference?.count ?? 0, largest });
    if (difference !== undefined) {
      first ??= { ...difference, place: layerPlace(graph, operator, tensor), operator };
    }
  }
  const notComputed = [...dumps].sort();
  refuseStrangers(graph, folder, notComputed);
  if (missing.length > 0 && (!partial || layers.length === 0)) {
    throw new UserError(
      "TMC3036",
      `${folder} has no dump of ${list(missing)}`,
      "Dump every layer, or compare those that are there with --partial.",
      ExitCode.usage,
    );
  }
  return { folder, layers, first, notComputed, missing };
}

/** @throws UserError TMC3033 when a layer differs. */
export function requireEqual({ first, folder, layers }: Verification): void {
  if (first !== undefined) {
    const differing = layers.filter((layer) => layer.differing > 0).length;
    throw new UserError(
      "TMC3033",
      `a layer differs from its dump in ${folder}: ${describeDifference(first, "computed", "in the dump")}; ${differing} of ${layers.length} layers differ`,
      "This is the first layer in execution order that differs: those after it differ because of it, or have causes of their own.",
    );
  }
}

function dumpNames(folder: string): string[] {
  const exists = existsSync(folder) && statSync(folder).isDirectory();
  const names = exists ? readdirSync(folder).filter((name) => /^op\d{2,}_tensor\d+\.bin$/.test(name)) : [];
  if (names.length === 0) {
    throw new UserError(
      "TMC3036",
      exists ? `${folder} has no dumps: files named opNN_tensorT.bin` : `there is no folder ${folder}`,
      "Write one file for each operator: the raw elements of its output tensor T, named with two digits at least.",
      ExitCode.usage,
    );
  }
  return names;
}

/** A dump that is not of the model at all means that the folder belongs to another one. */
function refuseStrangers(graph: Graph, folder: string, names: readonly string[]): void {
  const own = new Set(graph.operators.flatMap((operator, i) => layerFileName(i, operator.output)));
  const strangers = names.filter((name) => !own.has(name));
  if (strangers.length > 0) {
    throw new UserError(
      "TMC3036",
      `${join(folder, strangers[0] ?? "")} belongs to no operator of ${graph.name}`,
      "Use dumps of this very file: operators and tensors are numbered as in the .tflite.",
      ExitCode.usage,
    );
  }
}

/** At most three names. */
function list(names: readonly string[]): string {
  const rest = names.length - 3;
  return names.slice(0, 3).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
