/**
 * New firmware on a simulated flash whose power fails at every write and erase of download, test swap, confirmation and way
 * back. Everywhere with a boot loader that swaps in no time; where there is a Zephyr workspace, with MCUboot's own code, whose
 * counts are those of docs/updates.md.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { findWorkspace } from "../../compiler/board/zephyr/workspace.js";
import { UserError } from "../../compiler/diagnostics/user-error.js";
import { documented, include, results, row, run, sanitized, sourcesIn, strict } from "./power-cut-program.js";

const here = packagePath("test", "update");
const parts = ["flash-sim", "requirement", "versions", "firmware/images", "firmware/power-cuts"];
const ours = [...parts.map((name) => join(here, `${name}.c`)), ...sourcesIn("runtime-c", "update")];

/** The folder of MCUboot's sources, or why there is none. */
async function findMcuboot(): Promise<{ folder: string } | { reason: string }> {
  try {
    const search = await findWorkspace();
    if (search.kind === "missing") return { reason: search.missing.message };
    const folder = join(search.workspace.top, "bootloader", "mcuboot");
    return existsSync(join(folder, "boot", "bootutil", "src", "swap_move.c"))
      ? { folder }
      : { reason: "the Zephyr workspace has no MCUboot" };
  } catch (error) {
    if (error instanceof UserError) return { reason: error.message };
    throw error;
  }
}
const mcuboot = await findMcuboot();
const noMcuboot = "reason" in mcuboot ? ` (skipped: ${mcuboot.reason})` : "";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-firmware-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function compileIdeal(compiler: string): Promise<string> {
  const program = join(folder, `ideal-${compiler}`);
  const sources = [...ours, join(here, "firmware", "boot-ideal.c")];
  await run(compiler, [...strict, ...sanitized, include, ...sources, "-lcrypto", "-o", program]);
  return program;
}

/** MCUboot's sources as zephyr-app/mcuboot has them built; `sectors`: pages of a slot that it allows for. */
async function compileMcuboot(sources: string, sectors: number): Promise<string> {
  const boot = (name: string): string => join(sources, "boot", "bootutil", "src", `${name}.c`);
  const crypto = ["ecc", "ecc_dsa", "ecc_platform_specific", "sha256", "utils"].map((name) =>
    join(sources, "ext", "tinycrypt", "lib", "source", `${name}.c`),
  );
  const asn1 = ["asn1parse", "platform_util"].map((name) =>
    join(sources, "ext", "mbedtls-asn1", "src", `${name}.c`),
  );
  const bootutil = ["loader", "swap_misc", "swap_move", "bootutil_misc", "bootutil_public", "image_validate"];
  const theirs = [...bootutil, "tlv", "caps", "fault_injection_hardening", "image_ecdsa"].map(boot);
  const flags = [
    `-I${join(here, "firmware", "mcuboot")}`,
    ...["boot/bootutil/include", "boot/bootutil/src", "boot/zephyr/include"].map(
      (at) => `-I${join(sources, at)}`,
    ),
    ...["ext/tinycrypt/lib/include", "ext/mbedtls-asn1/include"].map((at) => `-I${join(sources, at)}`),
    `-DMCUBOOT_MAX_IMG_SECTORS=${sectors}`,
    '-DMBEDTLS_CONFIG_FILE="config-asn1.h"',
    ...["-Dmbedtls_calloc=calloc", "-Dmbedtls_free=free", "-O2"],
  ];
  const objects = join(folder, `mcuboot-${sectors}`);
  const program = `${objects}-program`;
  const made = [...theirs, ...crypto, ...asn1].map(async (source) => {
    const object = `${objects}-${basename(dirname(source))}-${basename(source)}.o`;
    const renamed = source.endsWith("image_ecdsa.c")
      ? ["-Dbootutil_verify_sig=verify_signature_of_mcuboot"]
      : [];
    await run("gcc", [...flags, ...renamed, "-w", "-c", source, "-o", object]);
    return object;
  });
  const own = [
    ...ours,
    join(here, "firmware", "boot-mcuboot.c"),
    packagePath("zephyr-app", "mcuboot", "hooks.c"),
  ];
  await run("gcc", [
    ...["-std=gnu11", "-Wall", "-Wextra", "-Werror", ...flags, include, ...own, ...(await Promise.all(made))],
    ...["-Wl,--wrap=flash_area_write", "-lcrypto", "-o", program],
  ]);
  return program;
}

describe("header, progress and trial of new firmware, after a failure at any write or erase", () => {
  it.each(["gcc", "clang"])("%s with sanitizers, a boot loader that swaps in no time", async (compiler) => {
    const rows = await results(await compileIdeal(compiler), "512", "8", "10", "700");
    expect(rows).toHaveLength(9);
    expect(rows.every((line) => line.endsWith("\t0"))).toBe(true);
  });
});

describe.skipIf("reason" in mcuboot)(`MCUboot, after a failure at any write or erase${noMcuboot}`, () => {
  const sources = "folder" in mcuboot ? mcuboot.folder : "";

  it("starts the old firmware or the new one, whole and signed; what was confirmed stays", async () => {
    const rows = await results(await compileMcuboot(sources, 10), "512", "8", "10", "1100");
    expect(rows.map(row)).toEqual(documented("Firmware"));
  }, 120_000);

  it("pages of 4096 bytes, as on the board", async () => {
    const [line = ""] = await results(await compileMcuboot(sources, 128), "4096", "8", "3", "3500", "update");
    const [, , writes, erases, faults] = line.split("\t").map(Number);
    expect(faults).toBe(7 * ((writes ?? 0) + (erases ?? 0)));
    expect(faults).toBeGreaterThan(14_000);
  }, 120_000);
});
