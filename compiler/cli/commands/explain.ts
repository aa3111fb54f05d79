/** `tmc explain [code]`: what a message means and how to mend it; without a code the list of all. */
import type { Command } from "commander";
import type { CatalogueEntry } from "../../diagnostics/catalogue-entry.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { allEntries } from "../all-catalogues.js";
import { closest } from "../closest.js";
import { linkTo } from "../diagnostics-page.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";

export function registerExplain(program: Command): void {
  const command = program
    .command("explain")
    .description("explain a message code; without one, list all codes")
    .argument("[code]", "for example TMC1203")
    .option("--json", "print for programs")
    .action(async (code: string | undefined, options: { json?: boolean }) => {
      const entries = await allEntries();
      const chosen = code === undefined ? entries : [findEntry(entries, code)];
      if (options.json === true) {
        const linked = chosen.map((e) => ({ ...e, page: linkTo(e.code) }));
        printJson(code === undefined ? linked : linked[0]);
      } else if (code === undefined) {
        process.stdout.write(`${entries.map((e) => `${e.code}  ${e.title}`).join("\n")}\n`);
      } else {
        process.stdout.write(chosen.map(formatEntry).join("\n"));
      }
    });
  describeCommand(command, {
    examples: [
      ["tmc explain TMC1203", "one code"],
      ["tmc explain", "all codes"],
    ],
    exitCodes: ["ok", "usage"],
  });
}

/** Accepts `tmc1203` and `1203` too. @throws UserError TMC0020 that names near codes. */
export function findEntry(entries: readonly CatalogueEntry[], code: string): CatalogueEntry {
  const wanted = /^\d+$/.test(code) ? `TMC${code.padStart(4, "0")}` : code.toUpperCase();
  const entry = entries.find((e) => e.code === wanted);
  if (entry !== undefined) {
    return entry;
  }
  const near = closest(
    wanted,
    entries.map((e) => e.code),
    3,
    1,
  );
  throw new UserError(
    "TMC0020",
    `there is no message code ${code}`,
    near.length > 0 ? `did you mean ${near.join(", ")}?` : "`tmc explain` lists all codes",
    ExitCode.usage,
  );
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

function formatEntry(entry: CatalogueEntry): string {
  const parts = [`${entry.code}: ${entry.title}`, "", entry.rule, ""];
  if (entry.wrong !== undefined) {
    parts.push("wrong:", indent(entry.wrong), "");
  }
  if (entry.right !== undefined) {
    parts.push("right:", indent(entry.right), "");
  }
  for (const [name, text] of Object.entries(entry.files ?? {})) {
    parts.push(`with ${name}:`, indent(text.trimEnd()), "");
  }
  parts.push(`see ${linkTo(entry.code)}`, "");
  return parts.join("\n");
}
