/** `tmc function build`: the source of a function → a bundle, signed or not. It writes no files. */
import type { KeyObject } from "node:crypto";
import { UserError } from "../diagnostics/user-error.js";
import type { CompiledProgram, CompileResult } from "../pipeline/compile.js";
import { encodeBundle, encodeManifest, sha256, signManifest } from "./bundle.js";
import { compileFunction, type FunctionSource } from "./compile-function.js";
import { linkWasm } from "./link-wasm.js";
import {
  bundleLimits,
  functionAbi,
  functionImports,
  manifestSchema,
  type FunctionManifest,
} from "./manifest.js";
import { readWasmInterface } from "./wasm-limits.js";

export interface BuildFunctionOptions extends FunctionSource {
  /** In place of what the source says. */
  readonly name?: string;
  readonly version?: string;
  readonly timeUs?: number;
  /** Bytes of stack; default 16 KiB. */
  readonly stack?: number;
  readonly key?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly cacheDir?: string;
}

export interface FunctionBuild {
  readonly bundle: Uint8Array;
  readonly manifest: FunctionManifest;
}

export const defaultStack = 16 * 1024;

/**
 * The bundle; undefined, with the diagnostics, when the source has errors.
 * @throws UserError TMC6301 (not one function), TMC6302 (needs what no node offers), TMC6303 (too large), TMC4003, TMC4090.
 */
export async function buildFunction(options: BuildFunctionOptions): Promise<{
  readonly build: FunctionBuild | undefined;
  readonly diagnostics: CompileResult["diagnostics"];
}> {
  const result = compileFunction(options);
  if (!result.ok) return { build: undefined, diagnostics: result.diagnostics };
  const { compiled, description, diagnostics } = result;
  requireInputAlone(compiled);
  const largest = Math.max(description.input.bytes, description.output.bytes);
  if (largest > bundleLimits.data) {
    throw new UserError(
      "TMC6303",
      `the function's data has up to ${largest} bytes; ${bundleLimits.data} is the most`,
      "lower `most`, or the shape",
    );
  }
  const stack = options.stack ?? defaultStack;
  const { code, memory } = await linkWasm({
    compiled,
    description,
    stack,
    ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
  });
  const { imports } = readWasmInterface(code);
  const manifest: FunctionManifest = {
    abi: functionAbi,
    kind: "wasm",
    name: options.name ?? description.name,
    version: options.version ?? description.version,
    input: description.input,
    output: description.output,
    bounds: {
      flash: code.length,
      ram: memory,
      stack,
      ...(options.timeUs === undefined ? {} : { timeUs: options.timeUs }),
    },
    imports: imports
      .map((i) => i.name)
      .filter((name) => (functionImports as readonly string[]).includes(name)),
    digest: sha256(code),
    sites: compiled.c.sites.map((s) => `${s.file}:${s.line}:${s.col}`),
  };
  const checked = manifestSchema.safeParse(manifest);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new UserError(
      "TMC6303",
      `the function does not fit a bundle: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`,
      "names are 1-32 characters of a-z 0-9 . _ -, versions of 0-9 A-Z a-z . + _ -; code has at most 3 MB",
    );
  }
  return { build: { bundle: packBundle(manifest, code, options.key), manifest }, diagnostics };
}

/** @throws UserError TMC6302 when the function calls what belongs to nodes. */
export function requireInputAlone(compiled: CompiledProgram): void {
  const needed = compiled.c.externs.filter(
    (name) => !name.startsWith("tmc_model_") && name !== "tmc_port_log_write",
  );
  if (needed.length > 0) {
    throw new UserError(
      "TMC6302",
      `the function calls ${needed.join(", ")}: what a function computes depends on its input alone`,
      "pass what it needs as input; sensors, clock, storage and the bus are the node's",
    );
  }
}

/** Manifest and code, signed when there is a key. */
export function packBundle(
  manifest: FunctionManifest,
  code: Uint8Array,
  key: BuildFunctionOptions["key"],
): Uint8Array {
  const manifestBytes = encodeManifest(manifest);
  const signature =
    key === undefined ? undefined : signManifest(manifestBytes, key.privateKey, key.publicKey);
  return encodeBundle({ manifestBytes, code, signature });
}
