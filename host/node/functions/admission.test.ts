import { describe, expect, it } from "vitest";
import { decodeBundle, encodeBundle, encodeManifest } from "../../../compiler/function/bundle.js";
import { bundleLimits } from "../../../compiler/function/manifest.js";
import type { FunctionManifest } from "../../../compiler/function/manifest.js";
import { OperationFailure } from "../operations/operation.js";
import { admit, type AdmissionRules } from "./admission.js";
import { handmadeBundle, newKeys } from "./testing.js";
import { wasmModule, type ModuleParts } from "./testing-wasm.js";

const key = newKeys();
const rules: AdmissionRules = {
  trustedKeys: [{ name: "owner", key: key.publicKey }],
  memoryBytes: 1024 * 1024,
  trustedWorkers: false,
};

/** "code: text" of the refusal, or who signed. */
function verdict(bytes: Uint8Array, with_: Partial<AdmissionRules> = {}): string {
  try {
    return admit(bytes, { ...rules, ...with_ }).signedBy;
  } catch (error) {
    if (!(error instanceof OperationFailure)) throw error;
    return `${error.code}: ${error.text}`;
  }
}

const made = (parts: ModuleParts = {}, changes: Partial<FunctionManifest> = {}): Uint8Array =>
  handmadeBundle(wasmModule(parts), key, changes);

describe("a bundle is admitted", () => {
  it("when all of it is right", () => {
    expect(verdict(made())).toBe("owner");
  });
});

describe("a bundle is refused", () => {
  it("unsigned", () => {
    expect(verdict(handmadeBundle(wasmModule(), undefined))).toBe("forbidden: the bundle is not signed");
  });
  it("signed by somebody else, and when nobody is trusted", () => {
    const other = handmadeBundle(wasmModule(), newKeys());
    expect(verdict(other)).toMatch(/^forbidden: signed by an unknown key, [0-9a-f]{16}$/);
    expect(verdict(made(), { trustedKeys: [] })).toMatch(/^forbidden: signed by an unknown key/);
  });
  it("with a signature of the right key id that another key made", () => {
    const good = decodeBundle(made());
    const bad = decodeBundle(handmadeBundle(wasmModule(), newKeys()));
    if (good.signature === undefined || bad.signature === undefined) throw new Error("unsigned");
    const signature = { keyId: good.signature.keyId, bytes: bad.signature.bytes };
    expect(verdict(encodeBundle({ ...good, signature }))).toBe(
      "corrupt: the signature does not fit the bundle",
    );
  });
  it("with a tampered manifest", () => {
    const good = decodeBundle(made());
    const manifestBytes = encodeManifest({ ...good.manifest, version: "2" });
    expect(verdict(encodeBundle({ ...good, manifestBytes }))).toBe(
      "corrupt: the signature does not fit the bundle",
    );
  });
  it("with tampered code", () => {
    const good = decodeBundle(made());
    const code = good.code.slice();
    code[code.length - 2] = 1;
    expect(verdict(encodeBundle({ ...good, code }))).toBe("corrupt: the code is not the one of the manifest");
  });
  it.each([...Array(24).keys()])("with a bit flipped, place %i", (i) => {
    const bytes = made().slice();
    const at = Math.floor((i * bytes.length) / 24);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    expect(verdict(bytes)).toMatch(/^(corrupt|forbidden): /);
  });
  it("cut short, too long, no CBOR, deeply nested", () => {
    const bytes = made();
    expect(verdict(bytes.subarray(0, bytes.length - 1))).toMatch(/^corrupt: /);
    expect(verdict(new Uint8Array(0))).toMatch(/^corrupt: /);
    expect(verdict(new Uint8Array(100_000).fill(0x81))).toMatch(/^corrupt: /);
    expect(verdict(new Uint8Array(bundleLimits.bundle + 1))).toMatch(/^too-large: /);
  });
  it.each(["../../etc/passwd", "a/b", "", "A", "a".repeat(33), "a\0b", ".." + "/x"])("named %j", (name) => {
    expect(verdict(made({}, { name }))).toMatch(/^corrupt: the manifest is not valid at name/);
  });
  it("with a field that manifests do not have", () => {
    const good = decodeBundle(made());
    const manifestBytes = encodeManifest({ ...good.manifest, extra: 1 } as FunctionManifest);
    expect(verdict(encodeBundle({ ...good, manifestBytes }))).toMatch(/^corrupt: the manifest is not valid/);
  });
  it("with an import that it does not declare", () => {
    expect(verdict(made({ imports: [["tmc", "log"]] }))).toBe("forbidden: the import log is not declared");
  });
  it("with an import that no function may have, declared or not", () => {
    const imports = [["tmc", "fetch"]] as const;
    expect(verdict(made({ imports }))).toBe("forbidden: the import fetch is not declared");
    expect(verdict(made({ imports }, { imports: ["fetch"] }))).toBe(
      "forbidden: the import fetch is not allowed",
    );
    expect(verdict(made({ imports: [["env", "trap"]] }))).toBe(
      "forbidden: the import env.trap is not allowed",
    );
  });
  it("with more memory than declared, or without a maximum", () => {
    expect(verdict(made({ memory: [1, 2] }))).toBe("forbidden: the code's memory is larger than declared");
    expect(verdict(made({ memory: [1, undefined] }))).toBe(
      "forbidden: the code must have one memory with a maximum",
    );
  });
  it("with more memory than this node allows", () => {
    const ram = 2 * 1024 * 1024;
    expect(verdict(made({ memory: [32, 32] }, { bounds: { flash: 1, ram, stack: 0 } }))).toBe(
      "too-large: needs 2097152 bytes of memory; 1048576 are allowed",
    );
  });
  it("with a table that may grow without end", () => {
    expect(verdict(made({ table: [1, undefined] }))).toMatch(/^forbidden: tables need a maximum/);
    expect(verdict(made({ table: [1, 100_000_000] }))).toMatch(/^forbidden: tables need a maximum/);
    expect(verdict(made({ table: [1, 10] }))).toBe("owner");
  });
  it("without the exports of the ABI", () => {
    expect(verdict(made({ exports: ["memory"] }))).toMatch(/^corrupt: the code does not export/);
  });
  it("that is no WebAssembly", () => {
    expect(verdict(handmadeBundle(Buffer.from("not a module"), key))).toBe(
      "corrupt: the code: not a WebAssembly module",
    );
  });
  it("without a sandbox, where that is not allowed", () => {
    const bytes = handmadeBundle(Buffer.from("export {}"), key, { kind: "worker", imports: [] });
    expect(verdict(bytes)).toBe("forbidden: functions without a sandbox are not allowed here");
    expect(verdict(bytes, { trustedWorkers: true })).toBe("owner");
  });
});
