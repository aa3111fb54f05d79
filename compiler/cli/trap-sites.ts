/** Trap sites: reads the map that a build leaves (`sites.json`) and puts places into the lines of a log. */
import { z } from "zod";
import { readJsonFile } from "../diagnostics/json-file.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

const schema = z.array(
  z.object({
    site: z.number().int().positive(),
    /** index, null, division, … */
    kind: z.string(),
    /** Relative to the project; `tmc/…` is the library. */
    file: z.string(),
    line: z.number().int().positive(),
    col: z.number().int().positive(),
  }),
);

export type TrapSiteEntry = z.infer<typeof schema>[number];
export type TrapSites = ReadonlyMap<number, TrapSiteEntry>;

/** @throws UserError TMC0060 when the file is missing or is not a map of trap sites. */
export function readTrapSites(file: string): TrapSites {
  const refuse = (why: string): UserError =>
    new UserError(
      "TMC0060",
      `${file} is not a map of trap sites: ${why}`,
      "name the sites.json of the build that runs: build/BOARD/sites.json",
      ExitCode.usage,
    );
  return new Map(readJsonFile(file, schema, refuse).map((entry) => [entry.site, entry]));
}

/** `src/app.ts:8:15` */
export const placeOfSite = (entry: TrapSiteEntry): string => `${entry.file}:${entry.line}:${entry.col}`;

/**
 * One line of a log with its places: `site=7`, `site 7`, `"site": 7` become the place. 0 (a trap without a place) and
 * numbers that the map does not have stay as they are.
 */
export function decodeLine(line: string, sites: TrapSites): string {
  return line.replace(
    /\b(site)("?)(\s*[=:]\s*|\s+)(\d+)\b/g,
    (text, word: string, quote: string, _gap, n: string) => {
      const entry = sites.get(Number(n));
      if (entry === undefined) return text;
      return quote === '"' ? `${word}": ${JSON.stringify(placeOfSite(entry))}` : placeOfSite(entry);
    },
  );
}
