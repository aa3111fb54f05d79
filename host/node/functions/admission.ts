/**
 * May this bundle run here? Everything is denied that is not known to be allowed: signature, kind, imports, exports,
 * memory, tables. It keeps nothing and runs none of the bundle's code.
 */
import type { KeyObject } from "node:crypto";
import {
  BundleError,
  decodeBundle,
  isSignedBy,
  keyIdOf,
  type FunctionBundle,
} from "../../../compiler/function/bundle.js";
import { bundleLimits, functionImports } from "../../../compiler/function/manifest.js";
import { readWasmInterface, WasmFormatError, wasmPage } from "../../../compiler/function/wasm-limits.js";
import { OperationFailure } from "../operations/operation.js";

export interface TrustedKey {
  /** For people: the name of its file. */
  readonly name: string;
  readonly key: KeyObject;
}

export interface AdmissionRules {
  readonly trustedKeys: readonly TrustedKey[];
  /** Bytes of memory of a function. */
  readonly memoryBytes: number;
  /** Bundles of kind worker may run. */
  readonly trustedWorkers: boolean;
}

export interface AdmittedBundle {
  readonly bundle: FunctionBundle;
  readonly signedBy: string;
}

const input = "input";

/** @throws OperationFailure too-large, corrupt, forbidden, version */
export function admit(bytes: Uint8Array, rules: AdmissionRules): AdmittedBundle {
  if (bytes.length > bundleLimits.bundle) {
    throw new OperationFailure("too-large", `a bundle has at most ${bundleLimits.bundle} bytes`, input);
  }
  const bundle = read(bytes);
  const signedBy = signerOf(bundle, rules.trustedKeys);
  const { manifest } = bundle;
  if (manifest.bounds.ram > rules.memoryBytes) {
    throw new OperationFailure(
      "too-large",
      `needs ${manifest.bounds.ram} bytes of memory; ${rules.memoryBytes} are allowed`,
      input,
    );
  }
  if (manifest.kind === "worker") {
    if (!rules.trustedWorkers) {
      throw new OperationFailure("forbidden", "functions without a sandbox are not allowed here", input);
    }
  } else {
    checkModule(bundle);
  }
  return { bundle, signedBy };
}

function read(bytes: Uint8Array): FunctionBundle {
  try {
    return decodeBundle(bytes);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    throw new OperationFailure("corrupt", error.message, input);
  }
}

function signerOf(bundle: FunctionBundle, trusted: readonly TrustedKey[]): string {
  const { signature } = bundle;
  if (signature === undefined) throw new OperationFailure("forbidden", "the bundle is not signed", input);
  const signer = trusted.find(({ key }) => keyIdOf(key) === signature.keyId);
  if (signer === undefined) {
    throw new OperationFailure(
      "forbidden",
      `signed by an unknown key, ${signature.keyId.slice(0, 16)}`,
      input,
    );
  }
  if (!isSignedBy(bundle, signer.key)) {
    throw new OperationFailure("corrupt", "the signature does not fit the bundle", input);
  }
  return signer.name;
}

/** What the module asks for is what the manifest declares, and all of it is allowed. @throws OperationFailure forbidden, corrupt */
export function checkModule({ manifest, code }: FunctionBundle): void {
  let found;
  try {
    found = readWasmInterface(code);
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error;
    throw new OperationFailure("corrupt", `the code: ${error.message}`, input);
  }
  for (const name of manifest.imports) {
    if (!(functionImports as readonly string[]).includes(name)) {
      throw new OperationFailure("forbidden", `the import ${name} is not allowed`, input);
    }
  }
  for (const { module, name, kind } of found.imports) {
    if (module !== "tmc" || kind !== "function") {
      throw new OperationFailure(
        "forbidden",
        `the import ${module}.${name} is not allowed`.slice(0, 64),
        input,
      );
    }
    if (!manifest.imports.includes(name)) {
      throw new OperationFailure("forbidden", `the import ${name} is not declared`.slice(0, 64), input);
    }
  }
  const [memory] = found.memories;
  if (memory === undefined || found.memories.length > 1 || memory.max === undefined) {
    throw new OperationFailure("forbidden", "the code must have one memory with a maximum", input);
  }
  if (Math.max(memory.max, memory.min) * wasmPage > manifest.bounds.ram) {
    throw new OperationFailure("forbidden", "the code's memory is larger than declared", input);
  }
  if (found.tables.some((t) => Math.max(t.min, t.max ?? Infinity) > bundleLimits.table)) {
    throw new OperationFailure("forbidden", `tables need a maximum, of at most ${bundleLimits.table}`, input);
  }
  const exported = (name: string, kind: string): boolean =>
    found.exports.some((e) => e.name === name && e.kind === kind);
  if (!exported("memory", "memory") || !exported("tmc_run", "function")) {
    throw new OperationFailure("corrupt", "the code does not export what ABI 1 wants", input);
  }
}
