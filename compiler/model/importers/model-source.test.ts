/** Files that a model names are looked for in its folder and nowhere else; files of unknown formats are named as such. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { importers, loadModel } from "./load-model.js";
import { ModelSource } from "./model-source.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-model-source-"));
  mkdirSync(join(folder, "model", "shards"), { recursive: true });
  writeFileSync(join(folder, "secret.bin"), "secret");
  writeFileSync(join(folder, "model", "shards", "1.bin"), "shard");
  writeFileSync(join(folder, "model", "model.json"), "main");
  symlinkSync(join(folder, "secret.bin"), join(folder, "model", "link.bin"));
  symlinkSync(join(folder, "model", "shards"), join(folder, "model", "inside"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = () => ModelSource.open(join(folder, "model", "model.json"));

it("reads files of the model's folder, and below", () => {
  const source = open();
  expect(Buffer.from(source.sibling("shards/1.bin", "it")).toString()).toBe("shard");
  expect(Buffer.from(source.sibling("inside/1.bin", "it")).toString()).toBe("shard");
  expect(source.digest()).not.toBe(open().digest());
});

it.each(["../secret.bin", "shards/../../secret.bin", "/etc/passwd", "link.bin", "", "C:\\secret", "a\0b"])(
  "refuses %j",
  (name) => expect(() => open().sibling(name, "it")).toThrow(expect.objectContaining({ code: "TMC3211" })),
);

it("tells when one is missing", () => {
  expect(() => open().sibling("2.bin", "the weights")).toThrow(expect.objectContaining({ code: "TMC3200" }));
});

it("lists every format when the file is of none", () => {
  const source = new ModelSource("a.bin", Uint8Array.of(1, 2, 3), () => new Uint8Array(0));
  expect(() => loadModel(source)).toThrow(
    expect.objectContaining({
      code: "TMC3208",
      fix: expect.stringContaining(importers.map((i) => `${i.format} (${i.files})`).join(", ")),
    }),
  );
});
