/**
 * From the source of a function to the program that exports it, and what the program says of it. The program is the
 * function's module and one generated line around it, so that the source stays what an app can import too.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { ts } from "ts-morph";
import { setLogSink } from "../backend-js/support.js";
import { UserError } from "../diagnostics/user-error.js";
import { compileProgram, type CompiledProgram, type CompileResult } from "../pipeline/compile.js";
import { elementBytes, type FunctionData } from "./manifest.js";

export interface FunctionSource {
  /** Absolute path of the module. */
  readonly file: string;
  /** Module names are relative to it. */
  readonly root: string;
  readonly checked: boolean;
}

export interface FunctionDescription {
  readonly name: string;
  readonly version: string;
  readonly input: FunctionData;
  readonly output: FunctionData;
}

export type FunctionCompilation =
  | {
      readonly ok: true;
      readonly compiled: CompiledProgram;
      readonly description: FunctionDescription;
      /** Calls it once on Node.js. @throws TmcTrap */
      readonly call: (input: Uint8Array) => Uint8Array;
      readonly diagnostics: CompileResult["diagnostics"];
    }
  | { readonly ok: false; readonly diagnostics: CompileResult["diagnostics"] };

/** @throws UserError TMC6301 when the module does not export exactly one function. */
export function compileFunction(source: FunctionSource): FunctionCompilation {
  const exported = exportedFunction(source.file);
  const base = path.basename(source.file, ".ts");
  const entry = path.join(path.dirname(source.file), `${base}-bundle.ts`);
  const text = `import { exportFunction } from "tmc";\nimport { ${exported} } from "./${base}.js";\nexportFunction(${exported});\n`;
  const { compiled, diagnostics } = compileProgram({
    entry,
    root: source.root,
    checked: source.checked,
    kind: "app",
    overlay: new Map([[entry, text]]),
  });
  if (compiled === undefined) return { ok: false, diagnostics };
  const module = path.relative(source.root, source.file).split(path.sep).join("/");
  const made = compiled.loaded.exports.get(module)?.[exported];
  const description = describe(made);
  const call = (input: Uint8Array): Uint8Array => callOnNode(made, input, description.output.bytes);
  return { ok: true, compiled, description, call, diagnostics };
}

/** The name of the one `export const NAME = new NodeFunction(…)`. */
function exportedFunction(file: string): string {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const found = source.statements.flatMap((statement) =>
    ts.isVariableStatement(statement) &&
    statement.modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) === true
      ? statement.declarationList.declarations.flatMap((d) =>
          ts.isIdentifier(d.name) && d.initializer !== undefined && makesFunction(d.initializer)
            ? [d.name.text]
            : [],
        )
      : [],
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new UserError(
      "TMC6301",
      found.length === 0
        ? `${path.basename(file)} exports no function`
        : `${path.basename(file)} exports ${found.length} functions: ${found.join(", ")}`,
      "export one: `export const NAME = new NodeFunction({ … })`",
    );
  }
  return only;
}

const makesFunction = (e: ts.Expression): boolean =>
  ts.isNewExpression(e) && /(^|\.)NodeFunction$/.test(e.expression.getText());

interface HostDescriptor {
  readonly present: number;
  readonly element: number;
  readonly rank: number;
  readonly shape: Int32Array;
  readonly rate: number;
  readonly unit: { toString(): string };
  readonly scale: number;
  readonly zeroPoint: number;
}

interface HostFunction {
  readonly name: string;
  readonly version: string;
  readonly input: { readonly descriptor: HostDescriptor; readonly capacity: number };
  readonly output: { readonly descriptor: HostDescriptor; readonly capacity: number };
  callTo(input: Uint8Array, output: Uint8Array): number;
}

/** Setup checked it. What it logs goes nowhere. */
function callOnNode(made: unknown, input: Uint8Array, most: number): Uint8Array {
  const output = new Uint8Array(most);
  const before = setLogSink(() => undefined);
  try {
    return output.subarray(0, (made as HostFunction).callTo(input, output));
  } finally {
    setLogSink(before);
  }
}

/** Setup checked it: a NodeFunction of firmware/core. */
function describe(made: unknown): FunctionDescription {
  const fn = made as HostFunction;
  return { name: fn.name, version: fn.version, input: dataOf(fn.input), output: dataOf(fn.output) };
}

function dataOf({ descriptor: d, capacity }: HostFunction["input"]): FunctionData {
  const [first = 1, ...rest] = d.shape.subarray(0, d.rank);
  const stated = (field: number): boolean => ((d.present >> field) & 1) === 1;
  return {
    elementType: d.element,
    shape: [first, ...rest],
    ...(stated(3) ? { rate: d.rate } : {}),
    ...(stated(4) ? { unit: d.unit.toString() } : {}),
    ...(stated(5) ? { scale: d.scale, zeroPoint: d.zeroPoint } : {}),
    bytes: capacity * (elementBytes[d.element] ?? 1),
  };
}
