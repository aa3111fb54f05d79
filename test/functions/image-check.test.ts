/** The node's check of function images, in C with sanitizers, on images that were damaged on purpose and at random. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import {
  encodeImage,
  imageHeaderBytes,
  readImage,
  type FunctionImage,
} from "../../compiler/function/image.js";

let folder = "";
let program = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-image-check-"));
  program = join(folder, "check");
  const sanitizers = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  const warnings = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"];
  const sources = ["check.c", "run.c"].map((name) => packagePath("runtime-c", "function", name));
  execFileSync("gcc", [
    ...warnings,
    ...sanitizers,
    `-I${packagePath("runtime-c", "include")}`,
    ...sources,
    packagePath("test", "functions", "image-check.c"),
    ...["-o", program],
  ]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good: FunctionImage = {
  code: Uint8Array.from({ length: 64 }, (_, i) => i),
  entry: 8,
  data: Uint8Array.from([0, 0, 0, 0, 16, 0, 0, 0, 24, 0, 0, 0, 1, 2, 3, 4]),
  ram: 32,
  relocations: [
    { offset: 4, intoRam: false },
    { offset: 8, intoRam: true },
  ],
  imports: ["log"],
  machine: "cortex-m4f",
  name: "probe",
  version: "1.0.0",
  input: { elementType: 6, shape: [-1, 3], unit: "g", rate: 100, bytes: 120 },
  output: { elementType: 0, shape: [4], scale: 0.5, zeroPoint: -3, bytes: 4 },
  stack: 400,
  timeUs: 5000,
  golden: { input: new Uint8Array(12), output: new Uint8Array(4) },
};

function verdicts(images: readonly Uint8Array[]): string[] {
  const file = join(folder, "images.bin");
  const sized = images.flatMap((bytes) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return [size, bytes];
  });
  writeFileSync(file, Buffer.concat(sized));
  return execFileSync(program, [file], { encoding: "utf8", maxBuffer: 2 ** 26 })
    .trimEnd()
    .split("\n");
}

/** A copy with one word changed. */
function withWord(at: number, value: number): Uint8Array {
  const bytes = Buffer.from(encodeImage(good));
  bytes.writeUInt32LE(value >>> 0, at);
  return bytes;
}

const reasons = {
  ok: 0,
  notAnImage: 1,
  format: 2,
  abi: 3,
  machine: 4,
  imports: 5,
  large: 6,
  ram: 7,
  stack: 8,
  data: 9,
  header: 10,
  name: 11,
  relocation: 12,
  selfTest: 13,
} as const;

it("accepts a good one, and believes nothing of what it gives back", () => {
  const [line = ""] = verdicts([encodeImage(good)]);
  // Of each way to return: kind, bytes, length of the text. At last the self-test, whose output the stand-in does not give.
  expect(line).toBe(`0 0/0/0 5/0/0 5/0/0 6/0/4 6/0/255 6/0/0 8/0/0 8/0/0 ${reasons.selfTest}`);
});

it("names what is wrong", () => {
  const bytes = encodeImage(good);
  const code = imageHeaderBytes + good.code.length;
  const [relocations = 0] = [new DataView(bytes.buffer).getUint32(44, true)];
  const cases: readonly (readonly [string, Uint8Array, keyof typeof reasons])[] = [
    ["nothing", new Uint8Array(0), "notAnImage"],
    ["a header cut short", bytes.subarray(0, imageHeaderBytes - 1), "notAnImage"],
    ["an end cut off", bytes.subarray(0, bytes.length - 1), "header"],
    ["more than it says", Buffer.concat([bytes, Uint8Array.of(0)]), "header"],
    ["another magic", withWord(0, 0x464d4354), "notAnImage"],
    ["another format", withWord(4, 2), "format"],
    ["another ABI", withWord(8, 2), "abi"],
    ["another machine", withWord(12, 2), "machine"],
    ["no machine", withWord(12, 0), "machine"],
    ["an import of a later ABI", withWord(60, 2), "imports"],
    ["every import", withWord(60, 0xffffffff), "imports"],
    ["more than a slot", withWord(16, 16385), "large"],
    ["more RAM than there is", withWord(40, 8200), "ram"],
    ["more stack than there is", withWord(52, 2049), "stack"],
    ["endless stack", withWord(52, 0xffffffff), "stack"],
    ["an input beyond", withWord(64, 8193), "data"],
    ["an output beyond", withWord(68, 2049), "data"],
    ["no output", withWord(68, 0), "header"],
    ["code in the header", withWord(20, 152), "header"],
    ["code beyond the end", withWord(24, 0x7ffffff8), "header"],
    ["code that wraps around", withWord(24, 0xffffffff), "header"],
    ["an entry at the end of the code", withWord(28, good.code.length), "header"],
    ["an entry before the code", withWord(28, 0xfffffffe), "header"],
    ["an odd entry", withWord(28, 9), "header"],
    ["more data than RAM", withWord(40, 8), "header"],
    ["data beyond the end", withWord(32, 0xfffffff8), "header"],
    ["relocations beyond the end", withWord(48, 0x40000001), "header"],
    ["types beyond the end", withWord(76, 0xffffffff), "header"],
    ["a self-test beyond the end", withWord(84, 0xffffffff), "header"],
    ["a self-test larger than the output", withWord(88, 8), "header"],
    ["something where zero is", withWord(92, 1), "header"],
    ["no name", withWord(96, 0), "name"],
    ["a name with a slash", withWord(96, 0x2f2f2f2f), "name"],
    ["something behind the name", withWord(124, 0x61), "name"],
    ["a version with a blank", withWord(128, 0x20202020), "name"],
    ["a relocation outside the data", withWord(relocations, 16), "relocation"],
    ["an odd place", withWord(relocations, 6), "relocation"],
    ["relocations out of order", withWord(relocations + 4, 4), "relocation"],
    ["an address beyond the code", withWord(code + 4, 65), "relocation"],
    ["an address beyond RAM", withWord(code + 8, 33), "relocation"],
  ];
  const found = verdicts(cases.map(([, image]) => image)).map((line) => Number(line.split(" ")[0]));
  const named = Object.fromEntries(cases.map(([what], i) => [what, found[i]]));
  expect(named).toEqual(Object.fromEntries(cases.map(([what, , reason]) => [what, reasons[reason]])));
});

it("survives any bytes", () => {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const edges = [0, 1, 2, 8, 31, 160, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff];
  const images = Array.from({ length: 3000 }, () => {
    const bytes = Buffer.from(encodeImage(good));
    for (let n = 1 + random(3); n > 0; n--) {
      const at = 4 * random(bytes.length >> 2);
      if (random(2) === 0) bytes.writeUInt32LE(edges[random(edges.length)] ?? 0, at);
      else bytes[at + random(4)] = random(256);
    }
    return random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
  });
  const lines = verdicts(images);
  expect(lines).toHaveLength(images.length);
  // Enough of both kinds to say something.
  expect(new Set(lines.map((line) => line.split(" ")[0])).size).toBeGreaterThan(8);
  expect(lines.filter((line) => line.startsWith("0 ")).length).toBeGreaterThan(100);
});

it("is read as it was written", () => {
  const { input, output, golden, imports, stack, ram, timeUs, name, version } = good;
  expect(readImage(encodeImage(good))).toMatchObject({
    ...{ input, output, golden, imports, stack, ram, timeUs, name, version },
    machine: "cortex-m4f",
    relocations: 2,
  });
  expect(() => readImage(encodeImage(good).subarray(1))).toThrow("no function image");
});
