/** For tests: keys, and bundles made of the example or of code written by hand. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { packagePath } from "../../../compiler/board/package-root.js";
import { buildFunction, packBundle } from "../../../compiler/function/build-function.js";
import { sha256 } from "../../../compiler/function/bundle.js";
import type { FunctionManifest } from "../../../compiler/function/manifest.js";

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const newKeys = (): KeyPair => generateKeyPairSync("ed25519");

/** A bundle of a source below the repository's root. */
export async function bundleOf(file: string, key?: KeyPair): Promise<Uint8Array> {
  const root = packagePath();
  const { build, diagnostics } = await buildFunction({
    file: packagePath(file),
    root,
    checked: false,
    cacheDir: packagePath(".tmc", "cache"),
    ...(key === undefined ? {} : { key }),
  });
  if (build === undefined) throw new Error(diagnostics.map((d) => d.message).join("\n"));
  return build.bundle;
}

/** A signed bundle of any code, u8 [-1] (at most 64) to u8 [-1] (at most 64), whatever `changes` says instead. */
export function handmadeBundle(
  code: Uint8Array,
  key: KeyPair | undefined,
  changes: Partial<FunctionManifest> = {},
): Uint8Array {
  const data = { elementType: 1, shape: [-1] as [number], bytes: 64 };
  const manifest: FunctionManifest = {
    abi: 1,
    kind: "wasm",
    name: "handmade",
    version: "1",
    input: data,
    output: data,
    bounds: { flash: code.length, ram: 65_536, stack: 0 },
    imports: ["trap"],
    digest: sha256(code),
    sites: [],
    ...changes,
  };
  return packBundle(manifest, code, key);
}
