/** Collects the message tables of all areas: every `catalogue.ts` below `compiler/` and `host/`. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

/** The folder of `compiler/` and `host/`: of the sources, or dist. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** All entries, sorted by code. @throws Error when two areas use one code (a bug). */
export async function allEntries(): Promise<CatalogueEntry[]> {
  const files = ["compiler", "host"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /(^|[\\/])catalogue\.(ts|js)$/.test(file))
      .sort()
      .map((file) => join(root, folder, file)),
  );
  const entries: CatalogueEntry[] = [];
  for (const file of files) {
    const module: unknown = await import(pathToFileURL(file).href);
    if (
      typeof module === "object" &&
      module !== null &&
      "catalogue" in module &&
      Array.isArray(module.catalogue)
    ) {
      entries.push(...module.catalogue.filter(isEntry));
    }
  }
  entries.sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
  for (const [i, entry] of entries.entries()) {
    if (entries[i + 1]?.code === entry.code) {
      throw new Error(`two catalogues describe ${entry.code}`);
    }
  }
  return entries;
}

function isEntry(value: unknown): value is CatalogueEntry {
  return (
    typeof value === "object" &&
    value !== null &&
    "code" in value &&
    typeof value.code === "string" &&
    "title" in value &&
    typeof value.title === "string" &&
    "rule" in value &&
    typeof value.rule === "string"
  );
}
