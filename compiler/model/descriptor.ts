/**
 * `model.yaml`, the descriptor beside a model file: reads it, checks it against the model, makes it anew. What follows
 * from the model (file, digest, shapes, quantisation) is generated; what people know (name, task, labels, unit, rate,
 * usage, metrics, …) is kept as they wrote it. Unknown keys are theirs.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { UserError } from "../diagnostics/user-error.js";
import { tensorAt, type Graph } from "./graph.js";

/** How the values of a tensor are carried, as in the descriptors of data on the bus. */
export const formats = ["raw", "cbor", "senml", "csv", "wav"] as const;
/** What data is for. */
export const usages = ["training", "test", "validation", "calibration", "inference"] as const;

const end = {
  type: z.string().optional(),
  shape: z.array(z.number().int()).optional(),
  scale: z.number().optional(),
  zero_point: z.number().int().optional(),
  unit: z.string().optional(),
  format: z.enum(formats).optional(),
  usage: z.enum(usages).optional(),
};

const schema = z.looseObject({
  name: z.string().optional(),
  version: z.coerce.string().optional(),
  task: z.string().optional(),
  /** What the compiler spends memory on: `tmc model plan` shows both. */
  memory: z.enum(["balanced", "least"]).optional(),
  model: z
    .looseObject({
      file: z.string().optional(),
      bytes: z.number().int().optional(),
      sha256: z.string().optional(),
    })
    .optional(),
  input: z.looseObject({ ...end, rate_hz: z.number().optional() }).optional(),
  output: z.looseObject({ ...end, labels: z.array(z.string()).optional() }).optional(),
});

export type ModelDescriptor = z.infer<typeof schema>;

/** A descriptor and where it stands. */
export interface DescriptorFile {
  readonly path: string;
  readonly descriptor: ModelDescriptor;
}

/**
 * The descriptor of a model file: NAME.yaml beside NAME.tflite, else model.yaml in its folder unless that describes
 * another file which is there. Undefined when there is none.
 * @throws UserError TMC2006 when it is not valid.
 */
export function findDescriptor(modelFile: string): DescriptorFile | undefined {
  const folder = dirname(modelFile);
  const own = join(folder, `${basename(modelFile, extname(modelFile))}.yaml`);
  const shared = join(folder, "model.yaml");
  const path = existsSync(own) ? own : shared;
  if (!existsSync(path)) {
    return undefined;
  }
  const descriptor = readDescriptor(path);
  const described = descriptor.model?.file;
  const ofAnother =
    path === shared &&
    described !== undefined &&
    described !== basename(modelFile) &&
    existsSync(join(folder, described));
  return ofAnother ? undefined : { path, descriptor };
}

function readDescriptor(file: string): ModelDescriptor {
  let content: unknown;
  try {
    content = parse(readFileSync(file, "utf8"));
  } catch (e) {
    throw new UserError(
      "TMC2006",
      `${file} is not valid YAML: ${e instanceof Error ? (e.message.split("\n")[0] ?? "") : String(e)}`,
      "correct it, or make it again with `tmc model describe`",
    );
  }
  const result = schema.safeParse(content ?? {});
  if (result.success) {
    return result.data;
  }
  const first = result.error.issues[0];
  throw new UserError(
    "TMC2006",
    `${file}: ${first?.path.join(".") ?? ""} ${first?.message ?? "is not valid"}`,
    "correct it, or make it again with `tmc model describe`",
  );
}

/* ---- checking --------------------------------------------------------------------------------------------- */

/** A field that says something else than the model. */
export interface DescriptorProblem {
  /** "input.shape" */
  readonly field: string;
  /** What the model has. */
  readonly expected: string;
  readonly found: string;
}

/** Fields that are absent are no problem. `bytes`: of the model file `fileName`. */
export function checkDescriptor(
  descriptor: ModelDescriptor,
  graph: Graph,
  fileName: string,
  bytes: Uint8Array,
): DescriptorProblem[] {
  const problems: DescriptorProblem[] = [];
  const expect = (field: string, expected: string | number, found: string | number | undefined): void => {
    if (found !== undefined && found !== expected) {
      problems.push({ field, expected: String(expected), found: String(found) });
    }
  };
  const { model, output } = descriptor;
  expect("model.file", fileName, model?.file);
  expect("model.bytes", bytes.length, model?.bytes);
  if (model?.sha256 !== undefined) {
    expect("model.sha256", digest(bytes), model.sha256.toLowerCase());
  }
  for (const side of ["input", "output"] as const) {
    const written = descriptor[side];
    const derived = describeEnd(graph, side === "input" ? graph.inputs : graph.outputs);
    if (written === undefined || derived === undefined) {
      continue;
    }
    expect(`${side}.type`, derived.type, written.type);
    expect(
      `${side}.shape`,
      list(derived.shape),
      written.shape === undefined ? undefined : list(written.shape),
    );
    if (written.scale !== undefined && Math.fround(written.scale) !== Math.fround(derived.scale ?? NaN)) {
      expect(`${side}.scale`, derived.scale ?? "none", written.scale);
    }
    expect(`${side}.zero_point`, derived.zero_point ?? "none", written.zero_point);
    if (side === "output" && output?.labels !== undefined) {
      const classes = derived.shape.at(-1) ?? 1;
      expect("output.labels", count(classes), count(output.labels.length));
    }
  }
  return problems;
}

/** @throws UserError TMC2013 that names every field, what was expected and found, and the fix. */
export function requireFitting(
  file: DescriptorFile,
  graph: Graph,
  modelFile: string,
  bytes: Uint8Array,
): void {
  const problems = checkDescriptor(file.descriptor, graph, basename(modelFile), bytes);
  if (problems.length > 0) {
    throw misfit(
      file.path,
      problems,
      basename(modelFile),
      `if the model is the right one, \`tmc model describe ${modelFile} --out ${file.path}\` corrects what follows from it and keeps the rest; labels are yours to correct`,
    );
  }
}

function misfit(what: string, problems: readonly DescriptorProblem[], model: string, fix: string): UserError {
  const fields = problems.map(
    ({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`,
  );
  return new UserError("TMC2013", `${what} does not fit ${model}: ${fields.join("; ")}`, fix);
}

const list = (shape: readonly number[]): string => `[${shape.join(", ")}]`;
const count = (labels: number): string => `${labels} label${labels === 1 ? "" : "s"}`;

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/* ---- making ----------------------------------------------------------------------------------------------- */

/** What people add; undefined keeps what `before` says. */
export interface DescriptorFacts {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly task?: string | undefined;
  readonly unit?: string | undefined;
  readonly rateHz?: number | undefined;
  readonly labels?: readonly string[] | undefined;
}

/**
 * The text of a descriptor for the model: `before` with everything that follows from the model corrected.
 * @throws UserError TMC2013 when the labels, which people write, are not one for each output.
 */
export function renderDescriptor(
  graph: Graph,
  modelFile: string,
  bytes: Uint8Array,
  before: ModelDescriptor,
  facts: DescriptorFacts,
): string {
  const { name, version, task, description, model, input, output, ...rest } = before;
  const file = basename(modelFile);
  const defined = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  const kind = output?.labels !== undefined || facts.labels !== undefined ? "classification" : undefined;
  const document = defined({
    name: facts.name ?? name ?? basename(file, extname(file)),
    version: facts.version ?? version ?? "0.1.0",
    description,
    task: facts.task ?? task ?? kind,
    model: { ...model, file, bytes: bytes.length, sha256: digest(bytes) },
    input: {
      ...input,
      ...describeEnd(graph, graph.inputs),
      format: input?.format ?? "raw",
      usage: input?.usage ?? "inference",
      ...defined({ unit: facts.unit, rate_hz: facts.rateHz }),
    },
    output: {
      ...output,
      ...describeEnd(graph, graph.outputs),
      format: output?.format ?? "raw",
      ...defined({ labels: facts.labels }),
    },
    ...rest,
  });
  const labels = checkDescriptor(schema.parse(document), graph, file, bytes);
  if (labels.length > 0) {
    throw misfit(
      "the descriptor",
      labels,
      file,
      "give one label for each output with --labels, in the model's order",
    );
  }
  return stringify(document, { lineWidth: 110 });
}

/** Undefined unless there is exactly one tensor at this end. */
function describeEnd(graph: Graph, ends: readonly number[]) {
  const [only] = ends;
  if (only === undefined || ends.length !== 1) {
    return undefined;
  }
  const { shape, type, quantization } = tensorAt(graph, only);
  const scale = quantization?.scales[0];
  const zeroPoint = quantization?.zeroPoints[0];
  return {
    shape,
    type,
    ...(scale === undefined || zeroPoint === undefined ? {} : { scale, zero_point: zeroPoint }),
  };
}
