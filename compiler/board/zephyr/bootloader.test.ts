/** Firmware for MCUboot: what is refused before anything is built, and what is flashed. Builds and runs: test/zephyr/mcuboot.test.ts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { flashSteps } from "../../cli/commands/flash.js";
import { writeOwnerKeys } from "../../update/owner-keys.js";
import { findBoard } from "../board.js";
import { checkFirmwareOptions, firmwareConfig, makeFirmware } from "./bootloader.js";

let dir: string;
let key: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tmc-bootloader-"));
  key = writeOwnerKeys(join(dir, "owner")).privateFile;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("firmware options", () => {
  const board = findBoard("b_l4s5i_iot01a");

  it.each(["b_l4s5i_iot01a", "mps2_an385", "mps2_an386"])("fit %s", (name) => {
    checkFirmwareOptions(findBoard(name), { key, release: "255.255.65535", counter: 0xffffffff });
  });

  it.each(["native_sim", "host", "qemu_cortex_m4"])("do not fit %s, which has no boot loader", (name) => {
    expect(() => checkFirmwareOptions(findBoard(name), { key, release: "1.0.0", counter: 1 })).toThrow(
      expect.objectContaining({ code: "TMC5011", exitCode: 3 }),
    );
  });

  it.each(["1.0", "v1.0.0", "256.0.0", "1.0.65536", "1.0.0+3", "", "1.0.-1"])(
    "refuse release %s",
    (release) => {
      expect(() => checkFirmwareOptions(board, { key, release, counter: 1 })).toThrow(
        expect.objectContaining({ code: "TMC5012" }),
      );
    },
  );

  it.each([-1, 1.5, NaN, 2 ** 32])("refuse counter %d", (counter) => {
    expect(() => checkFirmwareOptions(board, { key, release: "1.0.0", counter })).toThrow(
      expect.objectContaining({ code: "TMC5012" }),
    );
  });

  it("refuse a public key", () => {
    const file = join(dir, "owner.pub.pem");
    expect(() => checkFirmwareOptions(board, { key: file, release: "1.0.0", counter: 1 })).toThrow(
      expect.objectContaining({ code: "TMC5201" }),
    );
  });
});

it.each([
  ["3.7.1", false],
  ["4.1.99", true],
  ["4.2.0", true],
])("west is not wanted for signing with Zephyr %s: unsigned image %s", (version, unsigned) => {
  expect(firmwareConfig(findBoard("mps2_an386"), version)).toEqual({
    ...{ BOOTLOADER_MCUBOOT: true, MCUBOOT_GENERATE_UNSIGNED_IMAGE: unsigned },
    ...{ BUILD_OUTPUT_BIN: true, BUILD_OUTPUT_HEX: true, TMC_BOARD: "mps2_an386" },
  });
});

it("a workspace without MCUboot is told what it lacks", async () => {
  const workspace = {
    ...{ top: dir, base: join(dir, "zephyr"), version: "4.2.0", modules: [], python: "python3" },
    source: "--zephyr",
  };
  const elf = join(dir, "zephyr.elf");
  const image = { elf, executable: elf, hex: undefined, bin: undefined, map: "", log: "" };
  await expect(
    makeFirmware(findBoard("mps2_an386"), workspace, image, dir, { key, release: "1.0.0", counter: 1 }),
  ).rejects.toMatchObject({ code: "TMC5004", exitCode: 5 });
});

describe("what is flashed", () => {
  const made = (config: string): void => {
    const folder = join(dir, "zephyr", "build", "zephyr");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "zephyr.elf"), "");
    writeFileSync(join(folder, ".config"), config);
  };

  it("is nothing without an image", () => {
    expect(flashSteps(dir, { bootloader: true })).toBeUndefined();
  });

  it("is the image of a build without boot loader, also where signed firmware of an earlier build lies", () => {
    made("# CONFIG_BOOTLOADER_MCUBOOT is not set\n");
    writeFileSync(join(dir, "firmware.hex"), "");
    const build = join(dir, "zephyr", "build");
    expect(flashSteps(dir, { bootloader: true, runner: "openocd" })).toEqual([
      { what: "image", args: ["-m", "west", "flash", "--build-dir", build, "--runner", "openocd"] },
    ]);
  });

  it("is boot loader and signed firmware, or the firmware alone", () => {
    made("CONFIG_BOOTLOADER_MCUBOOT=y\n");
    const [first, second] = flashSteps(dir, { bootloader: true }) ?? [];
    expect(first?.args).toContain(join(dir, "mcuboot", "build"));
    expect(second?.args.slice(-2)).toEqual(["--hex-file", join(dir, "firmware.hex")]);
    expect(flashSteps(dir, { bootloader: false })).toEqual([second]);
  });
});
