/**
 * How two versions of a model differ: operators added, removed and changed, with shapes, quantisation and weights, and
 * what the change costs. Operators are paired in order by kind, name and shape; nothing is executed.
 */
import { emitModels } from "./emit-c/emit.js";
import { activationInputs, tensorAt, type Graph, type Operator, type Tensor } from "./graph.js";
import { layerMacs } from "./layers.js";
import { lower } from "./lower.js";

/** One property that differs; both sides as text. */
export interface PropertyChange {
  readonly property: string;
  readonly before: string;
  readonly after: string;
}

/** How constants of equal shape differ. */
export interface ConstantChange {
  /** "weights", "bias", or "input 0" for a constant operand. */
  readonly constant: string;
  readonly changed: number;
  readonly of: number;
  /** Largest change of one element, in real numbers. */
  readonly largest: number;
  /** The same in stored steps; null for floats. */
  readonly largestStep: number | null;
}

export interface OperatorChange {
  readonly change: "added" | "removed" | "changed";
  /** Number in the first model, null when added; in the second, null when removed. */
  readonly before: number | null;
  readonly after: number | null;
  readonly kind: string;
  readonly name: string;
  readonly properties: readonly PropertyChange[];
  readonly constants: readonly ConstantChange[];
}

/** What a model costs as an estimate without a compiler. */
export interface ModelEstimate {
  readonly operators: number;
  readonly macs: number;
  /** Weights, biases and tables as the C emitter stores them: without kernels and code. */
  readonly flash: number;
  /** Activations and scratch memory. */
  readonly ram: number;
}

export interface ModelDiff {
  readonly equal: boolean;
  /** Of the model's inputs and outputs. */
  readonly edges: readonly PropertyChange[];
  readonly operators: readonly OperatorChange[];
  /** Null for a float model. */
  readonly before: ModelEstimate | null;
  readonly after: ModelEstimate | null;
}

/** @throws UserError TMC30xx for an int8 model that cannot be executed. */
export function diffModels(a: Graph, b: Graph): ModelDiff {
  const operators = align(a, b).flatMap(([i, j]) => compareOperators(a, b, i, j));
  const edges = [
    ...compareEdges("input", a, b, a.inputs, b.inputs),
    ...compareEdges("output", a, b, a.outputs, b.outputs),
  ];
  return {
    equal: operators.length === 0 && edges.length === 0,
    edges,
    operators,
    before: estimate(a),
    after: estimate(b),
  };
}

function estimate(graph: Graph): ModelEstimate | null {
  if (graph.inputs.some((tensor) => tensorAt(graph, tensor).type === "float32")) {
    return null;
  }
  const emitted = emitModels([{ name: graph.name, graph }]).models[0];
  return {
    operators: graph.operators.length,
    macs: lower(graph).reduce((sum, layer) => sum + layerMacs(layer), 0),
    flash: emitted?.constantBytes ?? 0,
    ram: emitted?.arenaBytes ?? 0,
  };
}

/* ---- pairing ---------------------------------------------------------------------------------------------- */

type Pairing = readonly [before: number | undefined, after: number | undefined];

/** More operators than this on both sides are paired by number. */
const MAX_ALIGNED = 1500;

/** The pairing in order with the highest likeness; operators of different kinds are never a pair. */
function align(a: Graph, b: Graph): Pairing[] {
  const n = a.operators.length;
  const m = b.operators.length;
  if (Math.min(n, m) > MAX_ALIGNED) {
    return Array.from({ length: Math.max(n, m) }, (_, i): Pairing[] => {
      const same = i < n && i < m && a.operators[i]?.kind === b.operators[i]?.kind;
      return same
        ? [[i, i]]
        : [...(i < n ? [[i, undefined] as const] : []), ...(i < m ? [[undefined, i] as const] : [])];
    }).flat();
  }
  const width = m + 1;
  const score = new Float64Array((n + 1) * width); // of the rest from (i, j) on
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      const like = likeness(a, b, i, j);
      const paired = like === 0 ? 0 : like + (score[(i + 1) * width + j + 1] ?? 0);
      score[i * width + j] = Math.max(paired, score[(i + 1) * width + j] ?? 0, score[i * width + j + 1] ?? 0);
    }
  }
  const pairs: Pairing[] = [];
  let i = 0;
  let j = 0;
  while (i < n || j < m) {
    const here = score[i * width + j] ?? 0;
    const like = i < n && j < m ? likeness(a, b, i, j) : 0;
    if (like > 0 && here === like + (score[(i + 1) * width + j + 1] ?? 0)) {
      pairs.push([i++, j++]);
    } else if (i < n && (j >= m || here === (score[(i + 1) * width + j] ?? 0))) {
      pairs.push([i++, undefined]);
    } else {
      pairs.push([undefined, j++]);
    }
  }
  return pairs;
}

/** 0: no pair. */
function likeness(a: Graph, b: Graph, i: number, j: number): number {
  const one = a.operators[i];
  const two = b.operators[j];
  if (one === undefined || two === undefined || one.kind !== two.kind) {
    return 0;
  }
  const before = tensorAt(a, one.output);
  const after = tensorAt(b, two.output);
  const named = before.name !== "" && before.name === after.name;
  return 2 + (named ? 3 : 0) + (shape(before) === shape(after) ? 1 : 0);
}

/* ---- comparing -------------------------------------------------------------------------------------------- */

function compareOperators(
  a: Graph,
  b: Graph,
  before: number | undefined,
  after: number | undefined,
): OperatorChange[] {
  const one = before === undefined ? undefined : a.operators[before];
  const two = after === undefined ? undefined : b.operators[after];
  const only = (graph: Graph, operator: Operator, change: "added" | "removed"): OperatorChange => ({
    change,
    before: before ?? null,
    after: after ?? null,
    kind: operator.kind,
    name: tensorAt(graph, operator.output).name,
    properties: [],
    constants: [],
  });
  if (one === undefined || two === undefined) {
    return one !== undefined ? [only(a, one, "removed")] : two !== undefined ? [only(b, two, "added")] : [];
  }
  const properties = [
    ...attributes(one, two),
    ...activationInputs(one).flatMap((tensor, i) => {
      const other = activationInputs(two)[i];
      return other === undefined ? [] : compareTensors(`input ${i}`, tensorAt(a, tensor), tensorAt(b, other));
    }),
    ...compareTensors("output", tensorAt(a, one.output), tensorAt(b, two.output)),
  ];
  const constants: ConstantChange[] = [];
  const operands = (graph: Graph, operator: Operator): ReadonlyMap<string, Tensor> => {
    const inputs = activationInputs(operator).map(
      (tensor, i) => [`input ${i}`, tensorAt(graph, tensor)] as const,
    );
    const own = (["weights", "bias"] as const).map(
      (name) => [name, constantOf(graph, operator, name)] as const,
    );
    return new Map(
      [...own, ...inputs].flatMap(([name, tensor]) =>
        tensor?.data === undefined ? [] : [[name, tensor] as const],
      ),
    );
  };
  const left = operands(a, one);
  const right = operands(b, two);
  for (const constant of new Set([...left.keys(), ...right.keys()])) {
    const from = left.get(constant);
    const to = right.get(constant);
    if (from === undefined || to === undefined) {
      properties.push({ property: `constant ${constant}`, before: presence(from), after: presence(to) });
    } else if (shape(from) !== shape(to) || from.type !== to.type) {
      properties.push(...change(constant, describe(from), describe(to)));
    } else {
      constants.push(...compareConstants(constant, from, to));
    }
  }
  return properties.length + constants.length === 0
    ? []
    : [{ ...only(b, two, "added"), change: "changed", properties, constants }];
}

const presence = (tensor: Tensor | undefined): string => (tensor === undefined ? "none" : describe(tensor));

function constantOf(graph: Graph, operator: Operator, constant: "weights" | "bias"): Tensor | undefined {
  if (!("filter" in operator)) {
    return undefined;
  }
  const tensor = constant === "weights" ? operator.filter : operator.bias;
  return tensor === undefined ? undefined : tensorAt(graph, tensor);
}

/** Numbers of tensors are not compared: another exporter numbers them in another way. */
const structural = new Set([
  "kind",
  "input",
  "inputs",
  "left",
  "right",
  "filter",
  "bias",
  "output",
  "outputs",
]);

function attributes(one: Operator, two: Operator): PropertyChange[] {
  const text = (operator: Operator): Map<string, string> =>
    new Map(
      Object.entries(operator)
        .filter(([key]) => !structural.has(key))
        .map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : String(value)]),
    );
  const before = text(one);
  const after = text(two);
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((property) =>
    change(property, before.get(property) ?? "none", after.get(property) ?? "none"),
  );
}

function change(property: string, before: string, after: string): PropertyChange[] {
  return before === after ? [] : [{ property, before, after }];
}

function compareEdges(
  what: string,
  a: Graph,
  b: Graph,
  before: readonly number[],
  after: readonly number[],
): PropertyChange[] {
  return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => {
    const one = before[i] === undefined ? undefined : tensorAt(a, before[i]);
    const two = after[i] === undefined ? undefined : tensorAt(b, after[i]);
    return one === undefined || two === undefined
      ? [{ property: `${what} ${i}`, before: presence(one), after: presence(two) }]
      : compareTensors(`${what} ${i}`, one, two);
  }).flat();
}

function compareTensors(what: string, one: Tensor, two: Tensor): PropertyChange[] {
  return [
    ...change(`${what} type`, one.type, two.type),
    ...change(`${what} shape`, shape(one), shape(two)),
    ...change(`${what} quantisation`, quantization(one), quantization(two)),
  ];
}

function shape(tensor: Tensor): string {
  return `[${tensor.shape.join(", ")}]`;
}

function describe(tensor: Tensor): string {
  return `${tensor.type} ${shape(tensor)}`;
}

function quantization({ quantization: q }: Tensor): string {
  if (q === undefined) {
    return "none";
  }
  const first = `scale ${Number((q.scales[0] ?? 0).toPrecision(9))}, zero point ${q.zeroPoints[0] ?? 0}`;
  return q.scales.length > 1 ? `${first} and ${q.scales.length - 1} more` : first;
}

/** Of equal shape and type. */
function compareConstants(constant: string, one: Tensor, two: Tensor): ConstantChange[] {
  const of = one.data?.length ?? 0;
  let changed = 0;
  let largest = 0;
  let largestStep = 0;
  for (let i = 0; i < of; i++) {
    const before = Number(one.data?.[i] ?? 0);
    const after = Number(two.data?.[i] ?? 0);
    const difference = Math.abs(real(two, i, after) - real(one, i, before));
    if (before !== after || difference > 0) {
      changed++;
      largest = Math.max(largest, difference);
      largestStep = Math.max(largestStep, Math.abs(after - before));
    }
  }
  return changed === 0
    ? []
    : [{ constant, changed, of, largest, largestStep: one.type === "float32" ? null : largestStep }];
}

/** The number that element `i` stands for. */
function real(tensor: Tensor, i: number, value: number): number {
  const q = tensor.quantization;
  if (q === undefined || q.scales.length === 0) {
    return value;
  }
  const inner = tensor.shape.slice(q.axis + 1).reduce((product, size) => product * size, 1);
  const channel = q.scales.length === 1 ? 0 : Math.floor(i / inner) % q.scales.length;
  return (q.scales[channel] ?? 1) * (value - (q.zeroPoints[channel] ?? 0));
}
