/** The group `tmc function …` and what its commands share. Each command has a file of its own. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { BundleError, decodeBundle, type FunctionBundle } from "../../function/bundle.js";
import { isImage, readImage, type ImageSummary } from "../../function/image.js";
import { describeCommand } from "../help.js";
import { requireFile } from "../project-config.js";

export const bundleSuffix = ".tmcf";

/** The group, made by the first who asks. */
export function functionGroup(program: Command): Command {
  const existing = program.commands.find((c) => c.name() === "function");
  if (existing !== undefined) return existing;
  const group = program
    .command("function")
    .description("build, sign, look at and run functions for complete nodes and microcontrollers");
  return describeCommand(group, {
    examples: [
      ["tmc function keygen owner", "a key to sign with"],
      ["tmc function build rms.ts --sign owner.key.pem -o rms.tmcf", "TypeScript to a signed bundle"],
      ["tmc function run rms.tmcf --values 1,2,3", "call it here"],
    ],
    exitCodes: ["ok", "failed", "trap", "usage", "missingTool", "internal"],
  });
}

export interface ReadBundle {
  readonly bytes: Uint8Array;
  readonly bundle: FunctionBundle;
}

/** @throws UserError TMC0010 (no such file), TMC6306 (not a bundle) */
export function readBundle(file: string): ReadBundle {
  requireFile(file, file);
  const bytes = new Uint8Array(readFileSync(file));
  try {
    return { bytes, bundle: decodeBundle(bytes) };
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    throw new UserError(
      "TMC6306",
      `${file} is no function bundle: ${error.message}`,
      "make one: tmc function build SOURCE.ts -o FILE.tmcf",
    );
  }
}

export interface ReadImage {
  readonly bytes: Uint8Array;
  readonly summary: ImageSummary;
}

/** Undefined: it is something else. @throws UserError TMC0010 (no such file), TMC6306 (a damaged image) */
export function readImageFile(file: string): ReadImage | undefined {
  requireFile(file, file);
  const bytes = new Uint8Array(readFileSync(file));
  if (!isImage(bytes)) return undefined;
  try {
    return { bytes, summary: readImage(bytes) };
  } catch (error) {
    throw new UserError(
      "TMC6306",
      `${file} is no whole function image: ${error instanceof Error ? error.message : String(error)}`,
      "make it again: tmc function build SOURCE.ts --board BOARD -o FILE.tmci",
    );
  }
}

/** @throws UserError TMC0014 */
export function writeBundle(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UserError(
      "TMC0014",
      `cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`,
      "choose another file with --out",
      ExitCode.usage,
    );
  }
}
