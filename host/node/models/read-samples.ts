/** Items of a data set as a model is trained and measured on: all of one shape, in their unit, with class or target. */
import { elementTypes } from "../../bus/protocol-keys.js";
import { formats, valuesOf, type DescriptorMatch } from "../data/data-descriptor.js";
import type { DataSetRecord } from "../data/data-set-records.js";
import type { DataSets } from "../data/data-sets.js";
import type { Selection } from "../data/data-content.js";
import { OperationFailure } from "../operations/operation.js";
import type { ModelRecord } from "./model-records.js";
import type { ModelTask, SampleSet } from "./training/tasks.js";

export interface ReadSamplesOptions {
  readonly task: ModelTask;
  /** Of the classes: a label that is not among them is refused. Undefined: those of the items, in alphabetical order. */
  readonly labels?: readonly string[] | undefined;
  /** False: items without label are taken when none has one (calibration). */
  readonly labelled: boolean;
  /** Bytes of the samples at most. */
  readonly maxBytes: number;
}

export interface ReadSamples {
  readonly samples: SampleSet;
  readonly labels: readonly string[];
  /** What the models' inputs would be called: shape of an item, rate, unit. */
  readonly set: DataSetRecord;
}

/** Most classes of a model. */
const mostClasses = 256;

function mismatch(text: string, field: string): OperationFailure {
  return new OperationFailure("descriptor-mismatch", text, field);
}

/**
 * @throws OperationFailure descriptor-mismatch (what does not fit, and where), too-large
 */
export async function readSamples(
  dataSets: DataSets,
  set: DataSetRecord,
  selection: Selection,
  options: ReadSamplesOptions,
): Promise<ReadSamples> {
  const { descriptor } = set;
  if ((descriptor.format ?? formats.raw) !== formats.raw || descriptor.elementType === elementTypes.text) {
    throw mismatch("the items are no numbers", "arguments.data");
  }
  const arrays: Float32Array[] = [];
  const texts: string[] = [];
  let shape: readonly number[] | undefined;
  let bytes = 0;
  for await (const stored of dataSets.items(set, selection)) {
    const { item } = stored;
    shape ??= item.shape;
    if (shape.join() !== item.shape.join()) throw mismatch("the items have several shapes", "arguments.data");
    const values = Float32Array.from(valuesOf(await dataSets.bytesOf(stored), descriptor));
    if (!values.every(Number.isFinite))
      throw mismatch("an item has values that are not finite", "arguments.data");
    bytes += values.byteLength;
    if (bytes > options.maxBytes) {
      throw new OperationFailure(
        "too-large",
        `more than ${options.maxBytes} bytes of items`,
        "arguments.data",
      );
    }
    arrays.push(values);
    texts.push(item.label ?? "");
  }
  const size = arrays[0]?.length ?? 0;
  const values = new Float32Array(size * arrays.length);
  arrays.forEach((array, i) => values.set(array, i * size));
  const samples = { shape: shape ?? [], count: arrays.length, values };
  const none = { classes: new Uint8Array(), targets: new Float32Array() };
  if (!options.labelled && texts.some((text) => text === "")) {
    return { samples: { ...samples, ...none }, labels: options.labels ?? [], set };
  }
  if (options.task === "regression") {
    const targets = Float32Array.from(texts, (text) => (text.trim() === "" ? NaN : Number(text)));
    const odd = targets.findIndex((target) => !Number.isFinite(target));
    if (odd >= 0) throw mismatch(`label "${texts[odd] ?? ""}" is no number`, "arguments.data");
    return { samples: { ...samples, ...none, targets }, labels: [], set };
  }
  const labels = options.labels ?? [...new Set(texts)].sort();
  if (labels.length > mostClasses) throw mismatch(`more than ${mostClasses} labels`, "arguments.data");
  const numbers = new Map(labels.map((label, i) => [label, i]));
  const classes = Uint8Array.from(texts, (text) => {
    const number = text === "" ? undefined : numbers.get(text);
    if (number === undefined) {
      throw mismatch(text === "" ? "an item has no label" : `no class "${text}"`, "arguments.data");
    }
    return number;
  });
  return { samples: { ...samples, ...none, classes }, labels, set };
}

/** Whether the items of a data set are what a model takes, in its unit. @throws OperationFailure descriptor-mismatch */
export function requireFitting(match: DescriptorMatch, set: DataSetRecord, model: ModelRecord): void {
  const { shape, rate, unit } = model.inputs[0] ?? {};
  const { shape: offered, rate: offeredRate, unit: offeredUnit } = set.descriptor;
  const field = match(
    {
      elementType: elementTypes.f32,
      ...(offered === undefined ? {} : { shape: offered }),
      ...(offeredRate === undefined ? {} : { rate: offeredRate }),
      ...(offeredUnit === undefined ? {} : { unit: offeredUnit }),
    },
    {
      elementType: elementTypes.f32,
      ...(shape === undefined ? {} : { shape }),
      ...(rate === undefined ? {} : { rate }),
      ...(unit === undefined ? {} : { unit }),
    },
  );
  if (field !== "")
    throw mismatch(`${model.name} takes other data than ${set.name}`, `arguments.data.${field}`);
}
