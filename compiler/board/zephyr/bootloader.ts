/**
 * Firmware for MCUboot: builds the boot loader beside an image, signs the image with imgtool, and makes the update that nodes
 * take over the bus. Boot loader, imgtool and its Python are the workspace's. It flashes nothing.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { largestCounter, signHeader } from "../../update/artifact.js";
import { readOwnerKey } from "../../update/owner-keys.js";
import type { Board } from "../board.js";
import { packagePath } from "../package-root.js";
import { runProcess } from "../processes.js";
import { buildZephyr, type ZephyrImage } from "./build.js";
import type { Workspace } from "./workspace.js";

/** What makes an image a firmware that can be updated. */
export interface FirmwareOptions {
  /** The owner's private key (`tmc key new`), a file. */
  readonly key: string;
  /** MAJOR.MINOR.PATCH. */
  readonly release: string;
  /** Devices take no firmware with a lower one; 0 to 2^32-1. */
  readonly counter: number;
}

export interface Firmware {
  /** MCUboot: the linked image, and what is flashed once. */
  readonly bootloader: { readonly elf: string; readonly hex: string; readonly build: string };
  /** The signed image: for a programmer, with addresses, and without. */
  readonly hex: string;
  readonly bin: string;
  /** The same with its header, for `tmc deploy`. */
  readonly update: string;
}

/** Import name and package of what imgtool needs, beside Zephyr's. */
export const imgtoolPackages: readonly (readonly [module: string, packageName: string])[] = [
  ["click", "click"],
  ["cryptography", "cryptography"],
  ["intelhex", "intelhex"],
  ["cbor2", "cbor2"],
];

/** Kconfig of an image that MCUboot starts, in a workspace of that version of Zephyr, e.g. "4.2.0". */
export function firmwareConfig(board: Board, version: string): Readonly<Record<string, string | boolean>> {
  return {
    BOOTLOADER_MCUBOOT: true,
    // makeFirmware signs. With this option 4.x leaves it at that, while 3.7 wants west to sign without a key.
    MCUBOOT_GENERATE_UNSIGNED_IMAGE: !version.startsWith("3."),
    BUILD_OUTPUT_BIN: true,
    BUILD_OUTPUT_HEX: true,
    TMC_BOARD: board.name,
  };
}

/** @throws UserError TMC5011 for a board without boot loader, TMC5012 for a release or counter that is none, TMC5201 (key) */
export function checkFirmwareOptions(board: Board, options: FirmwareOptions): void {
  if (board.zephyr === undefined || !existsSync(confFile(board))) {
    throw new UserError(
      "TMC5011",
      `board ${board.name} has no boot loader: zephyr-app/mcuboot/${board.name}.conf does not exist`,
      "Leave out --bootloader, or take a board that has one: b_l4s5i_iot01a, mps2_an385, mps2_an386.",
      ExitCode.usage,
    );
  }
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,5})$/.exec(options.release)?.slice(1).map(Number);
  const [major = 256, minor = 256, patch = 65_536] = parts ?? [];
  if (major > 255 || minor > 255 || patch > 65_535) {
    throw new UserError(
      "TMC5012",
      `--release ${options.release}: MAJOR.MINOR.PATCH, at most 255.255.65535`,
      "Give the version of this firmware, e.g. --release 1.4.0.",
      ExitCode.usage,
    );
  }
  if (!Number.isInteger(options.counter) || options.counter < 0 || options.counter > largestCounter) {
    throw new UserError(
      "TMC5012",
      `--counter ${options.counter}: a whole number up to ${largestCounter}`,
      "Give one that is not lower than that of any firmware which devices should leave behind.",
      ExitCode.usage,
    );
  }
  readOwnerKey(options.key);
}

const mcubootFile = (name: string): string => packagePath("zephyr-app", "mcuboot", name);
const confFile = (board: Board): string => mcubootFile(`${board.name}.conf`);

/**
 * Builds MCUboot for the board and signs `image`, which was built with `firmwareConfig`. Files are made in `outDir`.
 * @throws UserError TMC5004 (no MCUboot), TMC5013 (Python packages), TMC5014 (not signed); those of buildZephyr and
 * checkFirmwareOptions
 */
export async function makeFirmware(
  board: Board,
  workspace: Workspace,
  image: ZephyrImage,
  outDir: string,
  options: FirmwareOptions & { readonly onProgress?: (step: string, done?: number, total?: number) => void },
): Promise<Firmware> {
  checkFirmwareOptions(board, options);
  const mcuboot = await requireMcuboot(workspace);
  const { privateKey, publicKey } = readOwnerKey(options.key);
  const folder = join(outDir, "mcuboot");
  mkdirSync(folder, { recursive: true });
  const ownerFile = join(folder, "owner.pub.pem");
  writeFileSync(ownerFile, publicKey.export({ type: "spki", format: "pem" }));
  const boardOverlays = [
    packagePath("zephyr-app", "boards", `${board.name}.overlay`),
    mcubootFile("boot.overlay"),
    mcubootFile(`${board.name}.overlay`),
  ];
  const built = await buildZephyr({
    workspace,
    board,
    sourceDir: join(mcuboot, "boot", "zephyr"),
    extraModules: [packagePath("zephyr-app", "emulated-flash"), packagePath("zephyr-app", "mcuboot")],
    outDir: folder,
    config: { BOOT_SIGNATURE_KEY_FILE: ownerFile, BUILD_OUTPUT_HEX: true },
    confFiles: [mcubootFile("mcuboot.conf"), confFile(board)],
    overlays: boardOverlays.filter((file) => existsSync(file)),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
  const signed = await sign(workspace, mcuboot, image, outDir, options);
  const content = readFileSync(signed.bin);
  const { release, counter } = options;
  const header = signHeader(
    { kind: "firmware", name: board.name, version: release, counter },
    content,
    privateKey,
  );
  const update = join(outDir, "firmware.tmcu");
  writeFileSync(update, Buffer.concat([header, content]));
  return {
    bootloader: { elf: built.elf, hex: built.hex ?? built.elf, build: join(folder, "build") },
    ...signed,
    update,
  };
}

/** MCUboot's folder. @throws UserError TMC5004, TMC5013 */
async function requireMcuboot(workspace: Workspace): Promise<string> {
  const folder = join(workspace.top, "bootloader", "mcuboot");
  if (!existsSync(join(folder, "boot", "zephyr", "CMakeLists.txt"))) {
    throw new UserError(
      "TMC5004",
      `the workspace ${workspace.top} lacks bootloader/mcuboot, which --bootloader needs`,
      "Fetch it: `tmc setup` again, or `west update` with mcuboot in the manifest.",
      ExitCode.noWorkspace,
    );
  }
  const script = imgtoolPackages
    .map(([module, name]) => `try: import ${module}\nexcept ImportError: print("${name}")`)
    .join("\n");
  const { stdout } = await runProcess(workspace.python, ["-c", script], { timeoutMs: 30_000 });
  const lacking = stdout
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "");
  if (lacking.length > 0) {
    throw new UserError(
      "TMC5013",
      `the Python of the workspace (${workspace.python}) lacks ${lacking.join(", ")}, which MCUboot's imgtool needs`,
      `Install it: ${workspace.python} -m pip install ${lacking.join(" ")}, or run \`tmc setup\` again.`,
      ExitCode.missingTool,
    );
  }
  return folder;
}

/** A number of the image's configuration. */
function configured(image: ZephyrImage, name: string): string {
  const file = join(image.elf, "..", ".config");
  const value = new RegExp(`^CONFIG_${name}=(\\S+)$`, "m").exec(readFileSync(file, "utf8"))?.[1];
  if (value === undefined) {
    throw new Error(`${file} does not state ${name}`);
  }
  return value;
}

async function sign(
  workspace: Workspace,
  mcuboot: string,
  image: ZephyrImage,
  outDir: string,
  { key, release, counter }: FirmwareOptions,
): Promise<{ hex: string; bin: string }> {
  const files = { hex: join(outDir, "firmware.hex"), bin: join(outDir, "firmware.bin") };
  for (const [from, to] of [
    [image.bin, files.bin],
    [image.hex, files.hex],
  ] as const) {
    if (from === undefined) throw new Error("the image has no bin or hex file");
    const args = [
      ...[join(mcuboot, "scripts", "imgtool.py"), "sign", "--key", key, "--version", release],
      ...["--security-counter", String(counter), "--align", "8"],
      ...["--header-size", configured(image, "ROM_START_OFFSET")],
      ...["--slot-size", configured(image, "FLASH_LOAD_SIZE"), from, to],
    ];
    const { exitCode, stdout, stderr } = await runProcess(workspace.python, args, { timeoutMs: 60_000 });
    if (exitCode !== 0) {
      const said = `${stdout.toString("utf8")}\n${stderr.toString("utf8")}`.trim().split("\n").at(-1) ?? "";
      throw new UserError(
        "TMC5014",
        `imgtool could not sign the firmware: ${said}`,
        "A firmware has to fit its slot with what the boot loader keeps at the slot's end (docs/zephyr.md, Flash).",
      );
    }
  }
  return files;
}
