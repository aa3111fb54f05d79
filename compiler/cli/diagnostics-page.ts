/** docs/diagnostics.md: every message of the catalogues as one page. Writing it is `npm run docs:diagnostics`. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const diagnosticsPage = "docs/diagnostics.md";

/** Where an entry stands on the page: `docs/diagnostics.md#TMC1203`. */
export const linkTo = (code: string): string => `${diagnosticsPage}#${code}`;

/** By the first two digits, in order; an entry belongs to the last area that does not start after it. */
const areas: readonly (readonly [from: string, title: string])[] = [
  ["00", "Command line and environment"],
  ["10", "Language: syntax and names"],
  ["11", "Language: declarations, values, statements"],
  ["12", "Language: types, numbers, null, references"],
  ["16", "Language: lifetimes"],
  ["18", "Language: the run phase"],
  ["19", "Language: calls"],
  ["20", "Setup"],
  ["30", "Models"],
  ["40", "Boards and memory"],
  ["50", "Zephyr"],
  ["60", "Complete node: configuration and start"],
  ["61", "Complete node: message bus, identities"],
  ["62", "Complete node: storage"],
  ["63", "Functions"],
  ["64", "Complete node: management"],
  ["65", "Workflows"],
  ["66", "Complete node: connectors"],
  ["67", "Conformance"],
  ["68", "Complete node: routing"],
];

/** @param entries sorted by code. */
export function renderDiagnosticsPage(entries: readonly CatalogueEntry[]): string {
  const parts = [
    "# Messages",
    "",
    "<!-- Made from the catalogues in compiler/ and host/ by `npm run docs:diagnostics`; not by hand. -->",
    "",
    "Every message of tmc has a code that does not change. `tmc explain CODE` prints what stands here. The examples of the language",
    "(TMC1…, TMC2…) are executed by the tests: each wrong one gives exactly its code, each right one compiles. An example that exports",
    "nothing is the body of `main`. How to get messages as JSON, SARIF or annotations, and which of them `tmc check --fix` mends by",
    "itself: [cli.md](cli.md#tmc-check-file).",
    "",
  ];
  areas.forEach(([from, title], i) => {
    const next = areas[i + 1]?.[0] ?? "99";
    const own = entries.filter((e) => areaOf(e) >= from && areaOf(e) < next);
    if (own.length === 0) return;
    parts.push(`## ${title}`, "", "| code | |", "| --- | --- |");
    parts.push(...own.map((e) => `| [${e.code}](#${e.code}) | ${cell(e.title)} |`), "");
    for (const e of own) parts.push(...renderEntry(e));
  });
  return parts.join("\n");
}

const areaOf = (e: CatalogueEntry): string => e.code.slice("TMC".length, -2);

function renderEntry(e: CatalogueEntry): string[] {
  const parts = [`### <a id="${e.code}"></a>${e.code}: ${e.title}`, "", e.rule, ""];
  if (e.wrong !== undefined) parts.push("Wrong:", "", ...block(e, e.wrong), "");
  if (e.right !== undefined) parts.push("Right:", "", ...block(e, e.right), "");
  for (const [name, text] of Object.entries(e.files ?? {})) {
    parts.push(`with \`${name}\`:`, "", "```", text.trimEnd(), "```", "");
  }
  return parts;
}

/** Examples of the language are TypeScript (a model's description apart); those of other areas are commands and files. */
const block = (e: CatalogueEntry, text: string): string[] => {
  const language = /^TMC[12]/.test(e.code) && text.includes(";") ? "ts" : "";
  return [`\`\`\`${language}`, text.trimEnd(), "```"];
};

const cell = (text: string): string => text.replaceAll("|", "\\|");
