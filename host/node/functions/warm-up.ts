/**
 * What the first function of a process would wait for: the engine's start, and code that has never run. A tiny function
 * goes the way of every bundle once, signed by a key that nobody keeps: read, admitted, compiled, metered, called.
 */
import { generateKeyPairSync } from "node:crypto";
import { encodeBundle, encodeManifest, sha256, signManifest } from "../../../compiler/function/bundle.js";
import { functionAbi, functionImports, type FunctionData } from "../../../compiler/function/manifest.js";
import type { DescriptorMatch } from "../data/data-descriptor.js";
import { admit } from "./admission.js";
import { compileModule, logBytes } from "./call-end.js";
import { checkInput, outputDescriptor } from "./function-data.js";
import { InlineCalls, inlineFuel } from "./inline-calls.js";
import { createInstance } from "./instance.js";

/** A module of ABI 1 with a page of memory: gives one byte. */
const tiny = Buffer.from(
  "AGFzbQEAAAABBgFgAX8BfwMCAQAFBAEBAQEGCwJ/AEEQC38AQSALBzoFBm1lbW9yeQIAB3RtY19ydW4AAAl0bWNfaW5wdXQDAAp0bWNfb3V0cHV0AwAKX19kYXRhX2VuZAMBCgYBBABBAQs=",
  "base64",
);

/** Compiled; gives one byte of output. */
export function tinyModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(tiny);
  return compiled;
}

let compiled: WebAssembly.Module | undefined;
let done: Promise<void> | undefined;

/** Once a process; some milliseconds. */
export function warmUp(match: DescriptorMatch): Promise<void> {
  done ??= warm(match);
  return done;
}

/** Until the engine has seen enough of the code. */
const turns = 8;

async function warm(match: DescriptorMatch): Promise<void> {
  const code = new Uint8Array(tiny);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const data: FunctionData = { elementType: 6, shape: [-1, 2], rate: 50, unit: "g", bytes: 64 };
  const manifestBytes = encodeManifest({
    abi: functionAbi,
    kind: "wasm",
    name: "warm-up",
    version: "1",
    input: data,
    output: data,
    bounds: { flash: code.length, ram: 65_536, stack: 0 },
    imports: [...functionImports],
    digest: sha256(code),
    sites: ["warm-up.ts:1:1"],
  });
  const signature = signManifest(manifestBytes, privateKey, publicKey);
  const bytes = encodeBundle({ manifestBytes, code, signature });
  const rules = {
    trustedKeys: [{ name: "warm-up", key: publicKey }],
    memoryBytes: 65_536,
    trustedWorkers: false,
  };
  const limits = { outputBytes: 64, logBytes };
  for (let i = 0; i < turns; i++) {
    const { bundle } = admit(bytes, rules);
    createInstance(await compileModule(bundle), limits, () => undefined).call(new Uint8Array(1));
    const inline = await InlineCalls.create(bundle, limits, inlineFuel, () => undefined);
    inline?.call(
      checkInput(new Uint8Array(8), { elementType: 6, shape: [1, 2], rate: 50, unit: "g" }, data, match),
    );
    outputDescriptor(data, 8);
  }
}
