/** Finds the project that a command works on: its root, and the app in it. Reads `tmc.json`; compiles nothing. */
import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { readJsonFile } from "../diagnostics/json-file.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

const configSchema = z.strictObject({
  /** Source of the app, relative to tmc.json. */
  app: z.string().min(1),
});

export interface AppLocation {
  /** Absolute path of the app's source. */
  readonly entry: string;
  /** Absolute path of the folder that names of modules are relative to. */
  readonly root: string;
}

/**
 * The app that `tmc build` and `tmc run` take. With `file`: that one; its root is the project it lies in, else the
 * current folder. Without: the app of the nearest tmc.json at or above `cwd`, else `firmware/app.ts` below `cwd`.
 * @throws UserError TMC0010 (no such file), TMC0012 (no app), TMC0013 (bad tmc.json).
 */
export function locateApp(file: string | undefined, cwd: string = process.cwd()): AppLocation {
  if (file !== undefined) {
    const entry = resolve(cwd, file);
    requireFile(entry, file);
    return { entry, root: projectRootOf(entry, cwd) };
  }
  const config = findConfig(cwd);
  if (config !== undefined) {
    const entry = resolve(dirname(config), readConfig(config).app);
    if (!existsSync(entry)) {
      throw new UserError(
        "TMC0013",
        `${relative(cwd, config) || config} names the app ${relative(cwd, entry)}, which does not exist`,
        'correct the key "app"',
        ExitCode.usage,
      );
    }
    return { entry, root: dirname(config) };
  }
  const entry = resolve(cwd, "firmware", "app.ts");
  if (!existsSync(entry)) {
    throw new UserError(
      "TMC0012",
      "there is no tmc.json here or above, and no firmware/app.ts",
      "name the app (tmc build src/app.ts …), change into the project, or start one with `tmc new DIR`",
      ExitCode.usage,
    );
  }
  return { entry, root: cwd };
}

/** The root for a single source: the folder of the nearest tmc.json above it, else the current folder if it is inside, else its own. */
export function projectRootOf(entry: string, cwd: string = process.cwd()): string {
  const config = findConfig(dirname(entry));
  if (config !== undefined) {
    return dirname(config);
  }
  return relative(cwd, entry).startsWith("..") ? dirname(entry) : cwd;
}

/** @throws UserError TMC0010 */
export function requireFile(path: string, shown: string = path): void {
  if (!existsSync(path)) {
    throw new UserError("TMC0010", `there is no file ${shown}`, "check the path", ExitCode.usage);
  }
}

/** The nearest tmc.json at or above `folder`. */
function findConfig(folder: string): string | undefined {
  for (let current = resolve(folder); ; current = dirname(current)) {
    const file = join(current, "tmc.json");
    if (existsSync(file)) {
      return file;
    }
    if (dirname(current) === current) {
      return undefined;
    }
  }
}

function readConfig(file: string): z.infer<typeof configSchema> {
  const refuse = (why: string): UserError =>
    new UserError(
      "TMC0013",
      `${file} is not valid: ${why}`,
      'it should read like { "app": "src/app.ts" }',
      ExitCode.usage,
    );
  return readJsonFile(file, configSchema, refuse);
}
