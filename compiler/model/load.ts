/** Reads model files and raw tensor files from disk: missing and absurd files become UserErrors. Other formats than .tflite: `importers/load-model.ts`. */
import { readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { Graph } from "./graph.js";
import { readTflite } from "./tflite/read.js";

const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** The bytes of a file. @throws UserError TMC3034 (exit code 3); `what` says what the file is for. */
export function readModelFile(path: string, what: string): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) {
      throw new UserError(
        "TMC3034",
        `${what} ${path} has ${size} bytes; at most ${MAX_FILE_BYTES} are read`,
        "Check the path.",
        ExitCode.usage,
      );
    }
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (error instanceof UserError) {
      throw error;
    }
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const known: Readonly<Record<string, string>> = {
      ENOENT: "there is no such file",
      EISDIR: "it is a folder",
      EACCES: "reading it is not allowed",
    };
    throw new UserError(
      "TMC3034",
      `cannot read ${what} ${path}: ${known[reason] ?? reason}`,
      "Check the path.",
      ExitCode.usage,
    );
  }
}

/** The graph of a .tflite file, named after the file. @throws UserError TMC30xx. */
export function loadTflite(path: string): Graph {
  return readTflite(readModelFile(path, "model"), basename(path, extname(path)));
}
