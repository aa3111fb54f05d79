import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard, listBoards, readBoard } from "./board.js";

const valid = `
name: mine
title: my board
kind: bare-metal
cpu: { core: cortex-m4, fpu: single, dsp: true }
kernels: portable
budget: { flash: 256K, ram: 65536, stack: 4K }
memory: { flash: { origin: 0, size: 1M }, ram: { origin: 0x20000000, size: 128K } }
toolchain: { prefix: arm-none-eabi-, package: gcc-arm-none-eabi, flags: [-mthumb] }
run: { how: process }
`;

describe("board files", () => {
  let project = "";
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "tmc-boards-"));
    mkdirSync(join(project, "boards"));
    writeFileSync(join(project, "boards", "mine.yaml"), valid);
  });
  afterAll(() => {
    rmSync(project, { recursive: true });
  });
  const write = (name: string, text: string): string => {
    const file = join(project, name);
    writeFileSync(file, text);
    return file;
  };

  it("are all valid that tmc ships", () => {
    const names = listBoards();
    expect(names).toEqual(
      expect.arrayContaining([
        "b_l4s5i_iot01a",
        "host",
        "mps2_an385",
        "mps2_an386",
        "native_sim",
        "qemu_cortex_m4",
      ]),
    );
    for (const name of names) {
      expect(findBoard(name).name).toBe(name);
    }
  });

  it("give sizes in bytes", () => {
    expect(findBoard("b_l4s5i_iot01a").budget).toEqual({
      flash: 1088 * 1024,
      ram: 640 * 1024,
      stack: 8 * 1024,
    });
  });

  it("may give models RAM for weights", () => {
    expect(findBoard("mine", { projectDir: project }).models).toBeUndefined();
    write(
      "boards/roomy.yaml",
      `${valid.replace("name: mine", "name: roomy")}models: { weightsInRam: 32K }\n`,
    );
    expect(findBoard("roomy", { projectDir: project }).models).toEqual({ weightsInRam: 32768 });
  });

  it("are found in the project, by name and by path", () => {
    expect(listBoards({ projectDir: project })).toContain("mine");
    expect(findBoard("mine", { projectDir: project }).memory?.ram.size).toBe(128 * 1024);
    expect(findBoard("./boards/mine.yaml", { projectDir: project }).title).toBe("my board");
    expect(findBoard("host", { projectDir: project }).kind).toBe("posix");
  });

  it("that do not exist: the known ones are listed", () => {
    expect(() => findBoard("nucleo")).toThrow(
      expect.objectContaining({
        code: "TMC4001",
        exitCode: 3,
        message: expect.stringContaining('unknown board "nucleo"; known boards: b_l4s5i_iot01a, host'),
      }),
    );
    expect(() => findBoard("./nowhere.yaml")).toThrow(expect.objectContaining({ code: "TMC4001" }));
  });

  it.each([
    ["a size that is none", valid.replace("256K", "2 megabytes"), /budget\.flash: expected a size in bytes/],
    ["a size of zero", valid.replace("65536", "0"), /budget\.ram: .*above 0/],
    ["an unknown kind", valid.replace("bare-metal", "arduino"), /kind: .*"posix"\|"bare-metal"\|"zephyr"/],
    ["an unknown key", `${valid}colour: red\n`, /colour/],
    ["a missing key", valid.replace(/^cpu.*$/m, ""), /cpu: expected object/],
    ["no memory", valid.replace(/^memory.*$/m, ""), /memory: expected for kind bare-metal/],
    ["zephyr without its name", valid.replace("bare-metal", "zephyr"), /zephyr: expected for kind zephyr/],
    ["a budget above the memory", valid.replace("65536", "1M"), /budget\.ram: expected at most/],
    ["an unknown way to run", valid.replace("how: process", "how: magic"), /run.*expected how/],
    ["another name than the file", valid.replace("name: mine", "name: yours"), /name: expected "bad"/],
    [
      "RAM for weights that is no size",
      `${valid}models: { weightsInRam: lots }\n`,
      /models\.weightsInRam: expected a size in bytes/,
    ],
    [
      "more RAM for weights than RAM",
      `${valid}models: { weightsInRam: 65K }\n`,
      /models\.weightsInRam: expected at most budget\.ram \(65536\)/,
    ],
    ["models without a key", `${valid}models: {}\n`, /models\.weightsInRam: expected a size/],
    ["models with a wrong key", `${valid}models: { weightsInRam: 1K, weightInRam: 1K }\n`, /weightInRam/],
    ["no object", "- 1\n", /expected object/],
    ["no YAML", "name: [", /not a readable board file/],
  ])("with %s are refused by file, key and expectation", (_, text, message) => {
    const file = write("bad.yaml", text);
    expect(() => readBoard(file)).toThrow(
      expect.objectContaining({
        code: "TMC4002",
        exitCode: 3,
        message: expect.stringMatching(message),
      }),
    );
    expect(() => readBoard(file)).toThrow(file);
  });
});
