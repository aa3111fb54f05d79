/**
 * What an importer reads from: the bytes of the model file, and files beside it that it names (shards of weights). Paths
 * in a model are not trusted: they may not leave the model's folder, and all files together have a limit. It knows no format.
 */
import { createHash } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, relative, sep } from "node:path";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { readModelFile } from "../load.js";

/** Most bytes of all files of a model together. */
export const MAX_MODEL_BYTES = 256 * 1024 * 1024;

/** Gives the bytes of a file beside the model, by a path relative to its folder that has no "..". May throw Node's errors. */
type SiblingReader = (path: string, limit: number) => Uint8Array;

export class ModelSource {
  /** "net.onnx": for messages. */
  readonly fileName: string;
  /** "net": the name of the graph, unless the file has a better one. */
  readonly name: string;
  private readonly siblings = new Map<string, Uint8Array>();
  private total: number;

  /** `readSibling` takes the place of the file system in tests. */
  constructor(
    readonly path: string,
    readonly bytes: Uint8Array,
    private readonly readSibling: SiblingReader,
  ) {
    this.fileName = basename(path);
    this.name = basename(path, extname(path));
    this.total = bytes.length;
  }

  /** @throws UserError TMC3034 when `path` cannot be read or is too large. */
  static open(path: string): ModelSource {
    return new ModelSource(path, readModelFile(path, "model"), (name, limit) =>
      readInside(dirname(path), name, limit),
    );
  }

  /**
   * The bytes of the file that the model calls `name`; `what` says what it is for.
   * @throws UserError TMC3200 (unreadable), TMC3210 (too many bytes), TMC3211 (outside the model's folder)
   */
  sibling(name: string, what: string): Uint8Array {
    const known = this.siblings.get(name);
    if (known !== undefined) {
      return known;
    }
    const parts = name.split("/");
    if (name === "" || isAbsolute(name) || /[\\\0:]/.test(name) || parts.includes("..")) {
      throw outside(this.fileName, name);
    }
    let bytes: Uint8Array;
    try {
      bytes = this.readSibling(name, MAX_MODEL_BYTES - this.total);
    } catch (error) {
      if (error instanceof UserError) {
        throw error;
      }
      const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
      throw new UserError(
        "TMC3200",
        `cannot read ${what} "${name}" beside ${this.fileName} (${reason})`,
        `Put every file that ${this.fileName} names beside it; save the model again if one is lost.`,
        ExitCode.usage,
      );
    }
    this.total += bytes.length;
    this.siblings.set(name, bytes);
    return bytes;
  }

  /** SHA-256 over all that was read: of a model in one file, that file's. Hexadecimal. */
  digest(): string {
    const hash = createHash("sha256").update(this.bytes);
    this.siblings.forEach((bytes) => hash.update(bytes));
    return hash.digest("hex");
  }
}

function outside(model: string, name: string): UserError {
  return new UserError(
    "TMC3211",
    `${model} names the file "${name}", which is not in its folder`,
    "Put the files of a model into one folder, and save it again so that it names them relative to that folder.",
  );
}

function readInside(folder: string, name: string, limit: number): Uint8Array {
  const path = join(folder, name);
  const real = relative(realpathSync(folder), realpathSync(path));
  if (isAbsolute(real) || real.split(sep)[0] === "..") {
    throw outside("the model", name);
  }
  const { size } = statSync(path);
  if (size > limit) {
    throw new UserError(
      "TMC3210",
      `the files of the model together have more than ${MAX_MODEL_BYTES} bytes ("${name}" has ${size})`,
      "Models of this size do not fit a microcontroller.",
    );
  }
  return new Uint8Array(readFileSync(path));
}
