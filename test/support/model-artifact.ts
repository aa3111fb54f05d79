/** Signed model packages for tests of updates, and answers to a node's wishes for pieces. No server, no broker. */
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { packagePath } from "../../compiler/board/package-root.js";
import { loadGraph } from "../../compiler/model/importers/load-model.js";
import { packageModel, type PackageOptions } from "../../compiler/model/package/write.js";
import { signHeader, type UpdateFacts } from "../../compiler/update/artifact.js";
import { publicPoint } from "../../compiler/update/owner-keys.js";
import { GraphBuilder, Random } from "../models/random-graphs.js";
import { decodeCbor, encodeCbor } from "./firmware-node.js";

export const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });
/** As a device keeps it: 65 bytes. */
export const ownerPoint = publicPoint(owner.publicKey);
export const ownerPem = owner.publicKey.export({ type: "spki", format: "pem" }).toString();

export const vibrationFile = packagePath("models", "vibration", "vibration.tflite");
export const vibrationLabels = ["healthy", "imbalance", "bearing"];
export const vibrationDigest = createHash("sha256").update(readFileSync(vibrationFile)).digest("hex");

/** An input that the package's self-test holds. */
export const goldenInput = Int8Array.from({ length: 384 }, (_, i) => ((i * 37) % 256) - 128);

/** The model of models/vibration with its self-test; `change` is made of it before it is signed. */
export function vibrationPackage(options: PackageOptions = {}): Uint8Array {
  const about = {
    ...{ task: "classification", labels: vibrationLabels, unit: "g", rate: 1600 },
    digest: vibrationDigest,
  };
  return packageModel(loadGraph(vibrationFile), {
    name: "vibration",
    about,
    golden: [goldenInput],
    ...options,
  });
}

/** A fully connected layer of 384 inputs and 30 outputs: 12 KB, three pages. */
export function largePackage(): Uint8Array {
  const b = new GraphBuilder(new Random(3), true);
  b.outputs.push(b.fullyConnected(b.input([1, 384]), 30));
  return packageModel(b.graph("large"), { golden: [goldenInput] });
}

/** A package and its signed header, as one file. */
export function artifact(
  content: Uint8Array,
  facts: Partial<UpdateFacts> = {},
  key: KeyObject = owner.privateKey,
): Uint8Array {
  const all = { kind: "model", name: "vibration", version: "2.0.0", counter: 1, ...facts } as const;
  return Buffer.concat([signHeader(all, content, key), content]);
}

/** What a request for it says as input. */
export const referenceTo = (file: Uint8Array): string =>
  `chunk:${createHash("sha256").update(file).digest("hex")}`;

export interface Wish {
  readonly digest: Uint8Array;
  readonly offset: number;
  readonly wanted: number;
  readonly from: string;
}

/** A message on topic `c`: a node's wish; undefined when it is something else. */
export function readWish(payload: Uint8Array): Wish | undefined {
  const map = decodeCbor(payload) as Map<number, unknown>;
  if (map.has(4)) return undefined;
  return {
    digest: map.get(1) as Uint8Array,
    offset: Number(map.get(2)),
    wanted: Number(map.get(6)),
    from: String(map.get(5)),
  };
}

/** One message of a server. */
export function pieceOf(
  file: Uint8Array,
  offset: number,
  size: number,
  changes: Record<number, unknown> = {},
): Uint8Array {
  const map = new Map<number, unknown>([
    [0, 1],
    [1, createHash("sha256").update(file).digest()],
    [2, offset],
    [3, file.length],
    [4, Buffer.from(file.subarray(offset, offset + size))],
    [5, "edge-1"],
  ]);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) map.delete(Number(key));
    else map.set(Number(key), value);
  }
  return encodeCbor(map);
}

/** All messages that a wish is answered with. */
export function piecesFor(file: Uint8Array, { offset, wanted }: Wish, pieceBytes = 900): Uint8Array[] {
  const end = Math.min(offset + wanted, file.length);
  return Array.from({ length: Math.ceil((end - offset) / pieceBytes) }, (_, i) => {
    const at = offset + i * pieceBytes;
    return pieceOf(file, at, Math.min(pieceBytes, end - at));
  });
}
