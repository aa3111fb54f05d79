/** The TypeScript in the documentation compiles, and what it says is an error is one. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allEntries } from "../../compiler/cli/all-catalogues.js";
import { diagnosticsPage, renderDiagnosticsPage } from "../../compiler/cli/diagnostics-page.js";
import { createProgram } from "../../compiler/cli/main.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { checkFiles } from "../../compiler/pipeline/check.js";
import type { Command } from "commander";
import { run } from "../support/analyse.js";

interface Example {
  readonly page: string;
  readonly line: number;
  readonly text: string;
  /** What it prints: the ```text block after it, or its comments `// → …`. */
  readonly output: readonly string[];
}

/** The ```ts blocks of a page. */
function examplesOf(page: string): Example[] {
  const text = readFileSync(packagePath(page), "utf8");
  return [...text.matchAll(/^```ts\n([^]*?)^```$(?:\n```text\n([^]*?)^```$)?/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split("\n").length + 1,
    text: match[1] ?? "",
    output:
      match[2]?.trimEnd().split("\n") ??
      [...(match[1] ?? "").matchAll(/\/\/ → (.*)$/gm)].map((m) => m[1] ?? ""),
  }));
}

/** `line code` for each comment `// error TMC1234`. */
function expectedErrors(text: string): string[] {
  return text.split("\n").flatMap((line, i) => {
    const code = /\/\/ error (TMC\d{4})/.exec(line)?.[1];
    return code === undefined ? [] : [`${i + 1} ${code}`];
  });
}

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-docs-")));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("TypeScript in the documentation", () => {
  const examples = ["README.md", "docs/language.md", "docs/signal.md"].flatMap(examplesOf);
  it.each(examples.map((e) => [`${e.page}:${e.line}`, e] as const))("%s", (_, example) => {
    const file = join(folder, "example.ts");
    writeFileSync(file, example.text);
    const found = checkFiles([file], folder);
    expect(found.filter((d) => d.severity === "error").map((d) => `${d.loc.line} ${d.code}`)).toEqual(
      expectedErrors(example.text),
    );
    if (example.output.length > 0)
      expect(run(example.text)).toEqual({ lines: example.output, trap: undefined });
  });
  it("has examples", () => {
    expect(examples.length).toBeGreaterThan(5);
  });
});

describe("links of the documentation", () => {
  const pages = [
    "README.md",
    ...readdirSync(packagePath("docs"))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ];
  /** As code hosts make them of headings. */
  const anchors = (page: string): string[] => {
    const text = readFileSync(packagePath(page), "utf8");
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((m) => m[1] ?? "");
    const named = [...text.matchAll(/<a id="([^"]+)">/g)].map((m) => m[1] ?? "");
    const slug = (heading: string): string =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-");
    return [...named, ...headings.map(slug)];
  };
  it.each(pages)("of %s lead somewhere", (page) => {
    const text = readFileSync(packagePath(page), "utf8").replace(/^```[^]*?^```$/gm, "");
    const targets = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map((m) => m[1] ?? "");
    const broken = targets.filter((target) => {
      const [file = "", anchor] = target.split("#");
      const full = file === "" ? page : join(dirname(page), file);
      if (!existsSync(packagePath(full))) return true;
      return anchor !== undefined && !anchors(full).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe("docs/diagnostics.md", () => {
  it("is what the catalogues say: `npm run docs:diagnostics` makes it", async () => {
    const page = readFileSync(packagePath(diagnosticsPage), "utf8");
    expect(page).toBe(renderDiagnosticsPage(await allEntries()));
  });
});

describe("docs/cli.md", () => {
  const text = readFileSync(packagePath("docs", "cli.md"), "utf8");
  const leaves = (command: Command): Command[] =>
    command.commands
      .filter((c) => c.name() !== "help")
      .flatMap((c) => (c.commands.length > 0 ? leaves(c) : [c]));

  it.each(leaves(createProgram()).map((c) => [c.name(), c] as const))(
    "describes tmc … %s",
    (name, command) => {
      const heading = [command.parent?.name() === "tmc" ? "" : `${command.parent?.name()} `, name].join("");
      expect(text).toMatch(new RegExp(`^### \`tmc ${heading}\\b`, "m"));
    },
  );
  it("lists every exit code", () => {
    for (const code of Object.values(ExitCode)) {
      expect(text).toMatch(new RegExp(`^\\| ${code} \\| `, "m"));
    }
  });
});
