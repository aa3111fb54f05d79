/** Every message code that the sources use is explained, and every code that is explained is used. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { allEntries } from "../../compiler/cli/all-catalogues.js";

/** Code → the first file that names it. Tests and the tables themselves are not looked at. */
function usedCodes(): Map<string, string> {
  const used = new Map<string, string>();
  for (const folder of ["bin", "compiler", "host"]) {
    for (const name of readdirSync(packagePath(folder), { recursive: true, encoding: "utf8" })) {
      if (!/\.(ts|js)$/.test(name) || name.endsWith(".test.ts") || /^catalogue[-.]/.test(basename(name))) {
        continue;
      }
      // In strings and templates only: comments may speak of codes.
      const text = readFileSync(packagePath(folder, name), "utf8").replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
      for (const match of text.matchAll(/["'`](?:[^"'`\n]* )?(TMC\d{4})\b/g)) {
        const code = match[1] ?? "";
        if (!used.has(code)) {
          used.set(code, join(folder, name));
        }
      }
    }
  }
  return used;
}

describe("message codes", () => {
  it("are all in a catalogue", async () => {
    const explained = new Set((await allEntries()).map((entry) => entry.code));
    const missing = [...usedCodes()].filter(([code]) => !explained.has(code));
    expect(missing.map(([code, file]) => `${code} in ${file}`).sort()).toEqual([]);
  });
  it("are all used", async () => {
    const used = usedCodes();
    const idle = (await allEntries()).map((entry) => entry.code).filter((code) => !used.has(code));
    expect(idle).toEqual([]);
  });
});
