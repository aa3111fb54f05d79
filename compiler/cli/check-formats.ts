/** The formats of `tmc check --format`: text for people, JSON, SARIF and GitHub's workflow commands for programs. */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { styleFor } from "../diagnostics/colors.js";
import { diagnosticToJson, formatDiagnostics } from "../diagnostics/format-diagnostics.js";
import { formatGithub } from "../diagnostics/github.js";
import { toSarif } from "../diagnostics/sarif.js";
import { allEntries } from "./all-catalogues.js";
import { packageVersion } from "../board/package-version.js";

export const checkFormats = ["text", "json", "sarif", "github"] as const;

export type CheckFormat = (typeof checkFormats)[number];

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some((d) => d.severity === "error");

/**
 * All of what goes to stdout.
 * @param root folder that places are relative to.
 * @param fixed what `--fix` mended, for json.
 * @returns one document (json, sarif), one line a finding (github), or blocks for people; "" when there is nothing to say.
 */
export async function formatCheck(
  format: CheckFormat,
  diagnostics: readonly Diagnostic[],
  root: string,
  fixed?: readonly Diagnostic[],
): Promise<string> {
  switch (format) {
    case "text":
      return formatDiagnostics(diagnostics, { root, style: styleFor(process.stdout) });
    case "json":
      return document({
        ...checkDocument(diagnostics, root),
        ...(fixed === undefined ? {} : { fixed: fixed.map((d) => diagnosticToJson(d, { root })) }),
      });
    case "sarif":
      return document(
        toSarif(diagnostics, {
          root,
          base: checkoutFolder(),
          version: packageVersion(),
          catalogue: await allEntries(),
        }),
      );
    case "github":
      return formatGithub(diagnostics, { root, base: checkoutFolder() });
  }
}

export function checkDocument(
  diagnostics: readonly Diagnostic[],
  root: string,
): { ok: boolean; diagnostics: readonly unknown[] } {
  return { ok: !hasErrors(diagnostics), diagnostics: diagnostics.map((d) => diagnosticToJson(d, { root })) };
}

const document = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Code hosts want paths from the top of the repository; GitHub's runner names it. */
const checkoutFolder = (): string => process.env["GITHUB_WORKSPACE"] ?? process.cwd();
