/** Signed updates: what the host makes, the store of devices takes; what was changed, neither takes. */
import { execFileSync } from "node:child_process";
import { createECDH, createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { encodeImage } from "../../compiler/function/image.js";
import { main } from "../../compiler/cli/main.js";
import {
  isSignedByOwner,
  isUpdate,
  readHeader,
  readUpdate,
  signHeader,
  UpdateError,
  updateHeaderBytes,
  updateKinds,
  type UpdateFacts,
} from "../../compiler/update/artifact.js";
import { contentFacts } from "../../compiler/update/content.js";
import {
  publicPoint,
  readOwnerKey,
  readOwnerPublicKey,
  writeOwnerKeys,
} from "../../compiler/update/owner-keys.js";
import { SimulatedSlots } from "../../host/runtime/simulated-slots.js";

const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const content = Uint8Array.from({ length: 9001 }, (_, i) => (i * 37) & 0xff);
const facts: UpdateFacts = { kind: "model", name: "vibration", version: "1.2.0", counter: 7 };

function artifact(more: Partial<UpdateFacts> = {}, key = owner.privateKey, of = content): Uint8Array {
  return Buffer.concat([signHeader({ ...facts, ...more }, of, key), of]);
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-artifact-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the store of devices", () => {
  let store = "";
  beforeAll(() => {
    store = join(folder, "store");
    const update = packagePath("runtime-c", "update");
    const sources = ["receive.c", "sha256.c", "slots.c", "store.c"].map((name) => join(update, name));
    const warnings = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"];
    execFileSync("gcc", [
      ...warnings,
      "-O1",
      "-fsanitize=address,undefined",
      `-I${packagePath("runtime-c", "include")}`,
      packagePath("test", "update-artifact", "store.c"),
      ...sources,
      "-lcrypto",
      "-o",
      store,
    ]);
  });

  function answers(kind: number, artifacts: readonly Uint8Array[], key = owner.publicKey): string[] {
    const files = artifacts.map((bytes, i) => {
      const file = join(folder, `a${i}.tmcu`);
      writeFileSync(file, bytes);
      return file;
    });
    const words = [publicPoint(key).toString("hex"), String(kind), ...files];
    return execFileSync(store, words, { encoding: "utf8" }).trimEnd().split("\n");
  }
  const installed = "write 0 finish 0 try 0 boot";

  it("takes what the host signed, and is there when it comes again", () => {
    const first = artifact();
    const second = artifact({ version: "1.3.0", counter: 8 });
    expect(answers(updateKinds.model, [first, first, second, first])).toEqual([
      `begin 0 0 ${installed} 0 confirm 0 vibration 1.2.0`,
      `begin 1 9001 vibration 1.2.0`,
      `begin 0 0 ${installed} 1 confirm 0 vibration 1.3.0`,
      // Its counter is lower.
      `begin 4 0 vibration 1.2.0`,
    ]);
  });

  it.each(Object.entries(updateKinds))("takes kind %s in its own store only", (kind, number) => {
    const bytes = artifact({ kind: kind as keyof typeof updateKinds, name: "a".repeat(31), version: "9" });
    expect(answers(number, [bytes])[0]).toBe(`begin 0 0 ${installed} 0 confirm 0 ${"a".repeat(31)} 9`);
    expect(answers((number % 3) + 1, [bytes])[0]).toMatch(/^begin 2 /);
  });

  it("refuses what another signed, and each changed byte of the header, as the host does", () => {
    expect(answers(1, [artifact({}, stranger.privateKey)])[0]).toMatch(/^begin 5 /);
    expect(isSignedByOwner(artifact({}, stranger.privateKey), owner.publicKey)).toBe(false);
    const right = artifact();
    expect(isSignedByOwner(right, owner.publicKey)).toBe(true);
    const changed = Array.from({ length: updateHeaderBytes }, (_, i) => {
      const bytes = Uint8Array.from(right);
      bytes[i] = (bytes[i] ?? 0) ^ 1;
      return bytes;
    });
    for (const line of answers(1, changed)) expect(line).toMatch(/^begin [235] /);
    for (const bytes of changed) expect(isSignedByOwner(bytes, owner.publicKey)).toBe(false);
  });

  it.each([
    ["a version that is not ASCII", 84, [0x32, 0xf2, 0x30, 0x2e, 0x30]],
    ["a name with a blank", 52, [0x61, 0x20, 0x62]],
    ["a name with a slash", 52, [0x61, 0x2f, 0x62]],
    ["a version with something behind its end", 84, [0x31, 0, 0x32]],
    ["an empty version", 84, []],
    ["a name without an end", 52, new Array<number>(32).fill(0x61)],
  ])("refuses %s, though the owner signed it, as the host does", (_, at, label) => {
    const bytes = Buffer.from(artifact());
    bytes.fill(0, at, at + 32).set(label, at);
    const signature = sign("sha256", bytes.subarray(0, 128), {
      key: owner.privateKey,
      dsaEncoding: "ieee-p1363",
    });
    bytes.set(signature, 128);
    expect(answers(1, [bytes])[0]).toMatch(/^begin 2 /);
    expect(() => readHeader(bytes)).toThrow(UpdateError);
    const slots = new SimulatedSlots(updateKinds.model, 0x10000, publicPoint(owner.publicKey));
    expect(slots.begin(bytes.subarray(0, updateHeaderBytes))).toBe(-2);
  });

  it("finds changed content by its digest, as the host does", () => {
    const bytes = Uint8Array.from(artifact());
    bytes[5000] = (bytes[5000] ?? 0) ^ 1;
    expect(answers(1, [bytes])[0]).toMatch(/finish 6/);
    expect(() => readUpdate(bytes)).toThrow(/SHA-256/);
  });
});

describe("an artifact", () => {
  it("is read as it was written", () => {
    const { header, content: inside } = readUpdate(artifact({ kind: "firmware", counter: 0xffffffff }));
    const { signature, ...rest } = header;
    expect(rest).toEqual({
      kind: "firmware",
      name: "vibration",
      version: "1.2.0",
      counter: 0xffffffff,
      size: content.length,
      digest: createHash("sha256").update(content).digest("hex"),
    });
    expect(signature).toHaveLength(64);
    expect(Buffer.from(inside).equals(content)).toBe(true);
  });

  it.each([
    ["an empty name", { name: "" }],
    ["a name of 32 bytes", { name: "n".repeat(32) }],
    ["a name with blanks", { name: "a b" }],
    ["a version of 32 bytes", { version: "1".repeat(32) }],
    ["a negative counter", { counter: -1 }],
    ["a counter of 33 bits", { counter: 2 ** 32 }],
    ["a broken counter", { counter: 1.5 }],
  ])("is not made with %s", (_, wrong) => {
    expect(() => artifact(wrong)).toThrow(UpdateError);
  });

  it("is not made of nothing", () => {
    expect(() => artifact({}, owner.privateKey, new Uint8Array())).toThrow(UpdateError);
  });

  it.each([
    ["nothing", () => new Uint8Array()],
    ["a header alone", () => artifact().subarray(0, updateHeaderBytes)],
    ["less than a header", () => artifact().subarray(0, updateHeaderBytes - 1)],
    ["content cut short", () => artifact().subarray(0, 4000)],
    ["content with more behind", () => Buffer.concat([artifact(), Buffer.of(1)])],
    ["something else", () => content],
  ])("is not read from %s", (_, bytes) => {
    expect(() => readUpdate(bytes())).toThrow(UpdateError);
  });

  it.each([4, 8, 12, 60, 90, 120])("is not read with nonsense at %d", (place) => {
    const bytes = Uint8Array.from(artifact());
    bytes.fill(0xff, place, place + 4);
    expect(() => readUpdate(bytes)).toThrow(UpdateError);
  });

  it("is known by its first bytes", () => {
    expect(isUpdate(artifact())).toBe(true);
    expect(isUpdate(content)).toBe(false);
    expect(isUpdate(Uint8Array.of(0x54))).toBe(false);
  });
});

describe("keys of an owner", () => {
  it("are made once, the private one for its owner alone", () => {
    const name = join(folder, "keys", "owner");
    const made = writeOwnerKeys(name);
    expect(statSync(made.privateFile).mode & 0o777).toBe(0o600);
    const before = readFileSync(made.privateFile, "utf8");
    expect(() => writeOwnerKeys(name)).toThrow(/exists/);
    expect(readFileSync(made.privateFile, "utf8")).toBe(before);
    const { privateKey, publicKey } = readOwnerKey(made.privateFile);
    const bytes = artifact({}, privateKey);
    expect(isSignedByOwner(bytes, publicKey)).toBe(true);
    expect(isSignedByOwner(bytes, readOwnerPublicKey(made.publicFile))).toBe(true);
  });

  it("are no keys of another kind, and no other files", () => {
    const wrong = {
      ed25519: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
      p384: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({
        type: "pkcs8",
        format: "pem",
      }),
      text: "not a key",
    };
    for (const [name, text] of Object.entries(wrong)) {
      const file = join(folder, name);
      writeFileSync(file, text);
      expect(() => readOwnerKey(file)).toThrow(/TMC5201|no private key/);
      expect(() => readOwnerPublicKey(file)).toThrow(/no public key/);
    }
    expect(() => readOwnerKey(join(folder, "missing"))).toThrow(/no private key/);
  });

  it("have a point that other implementations read", () => {
    const ecdh = createECDH("prime256v1");
    ecdh.generateKeys();
    expect(publicPoint(owner.publicKey)).toHaveLength(65);
    expect(() => ecdh.computeSecret(publicPoint(owner.publicKey))).not.toThrow();
  });
});

describe("content", () => {
  it("of an image of MCUboot has a version", () => {
    const image = Buffer.alloc(600);
    image.writeUInt32LE(0x96f3b83d, 0);
    image.set([1, 2, 3, 0], 20);
    expect(contentFacts(image)).toEqual({ kind: "firmware", version: "1.2.3" });
    image.writeUInt32LE(9, 24);
    expect(contentFacts(image)).toEqual({ kind: "firmware", version: "1.2.3+9" });
  });

  it("of a package has a name", () => {
    const image = Buffer.alloc(96);
    image.write("TMCM", 0, "latin1");
    image.write("vibration", 64, "latin1");
    expect(contentFacts(image)).toEqual({ kind: "model", name: "vibration" });
  });

  it("of a function for devices has a name and a version", () => {
    const data = { elementType: 6, shape: [4] as [number], bytes: 16 };
    const image = encodeImage({
      ...{ machine: "cortex-m4f", name: "rms", version: "1.1.0", input: data, output: data },
      ...{ code: new Uint8Array(64), entry: 0, data: new Uint8Array(), ram: 8, relocations: [], imports: [] },
      ...{ stack: 64, timeUs: undefined },
      golden: { input: new Uint8Array(16), output: new Uint8Array(16) },
    });
    expect(contentFacts(image)).toEqual({ kind: "function", name: "rms", version: "1.1.0" });
    expect(contentFacts(image.subarray(0, image.length - 8))).toEqual({ kind: "function" });
  });

  it("of something else has nothing", () => {
    expect(contentFacts(Uint8Array.of(1, 2))).toBeUndefined();
    expect(contentFacts(content)).toBeUndefined();
    expect(contentFacts(Buffer.from("TMCM"))).toBeUndefined();
  });
});

describe("tmc sign", () => {
  async function tmc(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    let out = "";
    let err = "";
    const [write, writeError] = [process.stdout.write, process.stderr.write];
    process.stdout.write = ((text: string) => ((out += text), true)) as typeof process.stdout.write;
    process.stderr.write = ((text: string) => ((err += text), true)) as typeof process.stderr.write;
    try {
      return { code: await main(args), out, err };
    } finally {
      process.stdout.write = write;
      process.stderr.write = writeError;
    }
  }

  it("signs by what the content says, and inspect tells it", async () => {
    const name = join(folder, "cli");
    expect((await tmc("key", "new", name)).out).toContain(`private: ${name}.key.pem`);
    const image = Buffer.alloc(600);
    image.writeUInt32LE(0x96f3b83d, 0);
    image.set([1, 2, 3, 0], 20);
    const file = join(folder, "zephyr.signed.bin");
    writeFileSync(file, image);
    const made = join(folder, "pump.tmcu");
    const key = ["--key", `${name}.key.pem`];
    const signed = await tmc("sign", file, ...key, "--name", "pump", "--counter", "14", "-o", made);
    expect(signed.err).toBe("");
    expect(signed.out).toMatch(/kind +firmware\nname +pump\nversion +1\.2\.3\ncounter +14\nbytes +600\n/);
    expect(readHeader(readFileSync(made))).toMatchObject({ kind: "firmware", counter: 14 });
    const inspected = await tmc("update", "inspect", made, "--key", `${name}.pub.pem`, "--json");
    expect(JSON.parse(inspected.out)).toMatchObject({
      kind: "firmware",
      bytes: 600,
      signed: { valid: true },
    });
    await tmc("key", "new", join(folder, "other"));
    const other = await tmc("update", "inspect", made, "--key", join(folder, "other.pub.pem"));
    expect(other.code).toBe(1);
    expect(other.err).toContain("TMC5204");
    const again = await tmc("sign", made, ...key, "--counter", "1", "-o", made);
    expect([again.code, again.err]).toEqual([3, expect.stringContaining("signed already")]);
  });

  it.each([
    ["content that says nothing", [], "TMC5203"],
    ["no version", ["--kind", "function", "--name", "rms"], "TMC5203"],
    ["an impossible name", ["--kind", "function", "--name", "a b", "--release", "1"], "TMC5203"],
    ["an unknown kind", ["--kind", "pictures"], "TMC0005"],
    ["a counter below 0", ["--counter", "-1"], "TMC0005"],
  ])("refuses %s", async (_, more, code) => {
    const name = join(folder, `bad-${more.join("-").replaceAll(" ", "_")}`);
    const key = writeOwnerKeys(name).privateFile;
    writeFileSync(name, "some bytes");
    const found = await tmc("sign", name, "--key", key, "--counter", "1", "-o", `${name}.tmcu`, ...more);
    expect([found.code, found.err]).toEqual([3, expect.stringContaining(code)]);
  });
});
