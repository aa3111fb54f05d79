/** For tests: a storage in memory, keys, and bundles made of the example or of code written by hand. */
import { generateKeyPairSync, createHash, type KeyObject } from "node:crypto";
import { packagePath } from "../../../compiler/board/package-root.js";
import { buildFunction, packBundle } from "../../../compiler/function/build-function.js";
import { sha256 } from "../../../compiler/function/bundle.js";
import type { FunctionManifest } from "../../../compiler/function/manifest.js";
import type { RecordEntry, Storage } from "../storage/storage.js";

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const newKeys = (): KeyPair => generateKeyPairSync("ed25519");

/** What was acknowledged is kept, in this process. */
export function memoryStorage(): Storage {
  const records = new Map<string, Uint8Array>();
  const blobs = new Map<string, Uint8Array>();
  return {
    description: "memory",
    close: () => Promise.resolve(),
    records: {
      get: (collection, key) => Promise.resolve(records.get(`${collection} ${key}`)),
      list(collection, options = {}) {
        const found: RecordEntry[] = [...records]
          .filter(([id]) => id.startsWith(`${collection} `))
          .map(([id, value]) => ({ key: id.slice(collection.length + 1), value }))
          .filter(({ key }) => key.startsWith(options.prefix ?? "") && key > (options.after ?? ""))
          .sort((a, b) => (a.key < b.key ? -1 : 1))
          .slice(0, options.limit ?? 1000);
        return Promise.resolve(found);
      },
      write(changes) {
        for (const { collection, key, value } of changes) {
          if (value === undefined) records.delete(`${collection} ${key}`);
          else records.set(`${collection} ${key}`, value);
        }
        return Promise.resolve(true);
      },
    },
    blobs: {
      put(source) {
        if (!(source instanceof Uint8Array)) throw new Error("bytes only");
        const digest = createHash("sha256").update(source).digest("hex");
        blobs.set(digest, source.slice());
        return Promise.resolve({ digest, bytes: source.length });
      },
      get: (digest) => Promise.resolve(blobs.get(digest)),
      read: () => Promise.resolve(undefined),
      stat: () => Promise.resolve(undefined),
      delete: (digest) => Promise.resolve(blobs.delete(digest)),
      list: () => Promise.resolve([...blobs].map(([digest, b]) => ({ digest, bytes: b.length }))),
    },
  };
}

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
