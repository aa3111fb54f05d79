/** Where tmc's own files are (runtime-c, boards, firmware), from source or from dist/. It knows nothing of the user's project. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let found: string | undefined;

function isTmcPackage(file: string): boolean {
  if (!existsSync(file)) {
    return false;
  }
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  return typeof content === "object" && content !== null && "name" in content && content.name === "tmc";
}

/** The folder of the package.json named "tmc", found by walking up from this file. @throws Error when there is none. */
export function packageRoot(): string {
  if (found !== undefined) {
    return found;
  }
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (isTmcPackage(join(folder, "package.json"))) {
      found = folder;
      return folder;
    }
    if (dirname(folder) === folder) {
      throw new Error(`no package.json named "tmc" above ${start}`);
    }
  }
}

/** Absolute path of a file that belongs to tmc: `packagePath("runtime-c", "include")`. */
export function packagePath(...parts: string[]): string {
  return join(packageRoot(), ...parts);
}
