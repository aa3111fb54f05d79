/**
 * Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the source. One run, one result a finding;
 * a rule for each code that occurs. It writes nothing.
 */
import { relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { Loc } from "../ir/nodes.js";
import type { CatalogueEntry } from "./catalogue-entry.js";
import type { Diagnostic, QuickFix } from "./diagnostic.js";
import { fileOf, lengthOnLine, SourceLines } from "./source-lines.js";

export interface SarifOptions {
  /** Folder that `Loc.file` is relative to. */
  readonly root: string;
  /** Folder that paths in the document are relative to: the top of the repository. Files outside get absolute addresses. */
  readonly base: string;
  /** Of tmc. */
  readonly version: string;
  /** What the codes mean: the texts of the rules. */
  readonly catalogue: readonly CatalogueEntry[];
}

interface ArtifactLocation {
  readonly uri: string;
  readonly uriBaseId?: "%SRCROOT%";
}

interface Region {
  readonly startLine: number;
  readonly startColumn: number;
  readonly endLine?: number;
  /** One past the last character. */
  readonly endColumn?: number;
}

interface SarifLocation {
  readonly id?: number;
  readonly physicalLocation: { readonly artifactLocation: ArtifactLocation; readonly region: Region };
  readonly message?: { readonly text: string };
}

export interface SarifLog {
  readonly $schema: string;
  readonly version: "2.1.0";
  readonly runs: readonly {
    readonly tool: {
      readonly driver: {
        readonly name: string;
        readonly semanticVersion: string;
        readonly rules: readonly SarifRule[];
      };
    };
    readonly columnKind: "utf16CodeUnits";
    readonly originalUriBaseIds: { readonly "%SRCROOT%": { readonly uri: string } };
    readonly results: readonly SarifResult[];
  }[];
}

export interface SarifRule {
  readonly id: string;
  readonly shortDescription: { readonly text: string };
  readonly fullDescription: { readonly text: string };
  readonly help: { readonly text: string };
}

export interface SarifResult {
  readonly ruleId: string;
  /** Index into the driver's `rules`. */
  readonly ruleIndex: number;
  readonly level: "error" | "warning" | "note";
  readonly message: { readonly text: string };
  readonly locations: readonly SarifLocation[];
  readonly relatedLocations?: readonly SarifLocation[];
  readonly fixes?: readonly SarifFix[];
}

export interface SarifFix {
  readonly description: { readonly text: string };
  readonly artifactChanges: readonly {
    readonly artifactLocation: ArtifactLocation;
    readonly replacements: readonly {
      readonly deletedRegion: Region;
      readonly insertedContent: { readonly text: string };
    }[];
  }[];
}

export function toSarif(diagnostics: readonly Diagnostic[], options: SarifOptions): SarifLog {
  const lines = new SourceLines(options.root);
  const known = new Map(options.catalogue.map((entry) => [entry.code, entry]));
  const codes = [...new Set(diagnostics.map((d) => d.code))].sort();
  return {
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "tmc",
            semanticVersion: options.version,
            rules: codes.map((code) => ruleOf(code, known.get(code))),
          },
        },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { "%SRCROOT%": { uri: folderUri(options.base) } },
        results: diagnostics.map((d): SarifResult => ({
          ruleId: d.code,
          ruleIndex: codes.indexOf(d.code),
          level: d.severity,
          message: { text: d.fix === "" ? d.message : `${d.message}\nfix: ${d.fix}` },
          locations: [location(d.loc, { ...regionOf(d.loc), endColumn: endColumn(d, lines) }, options)],
          ...(d.related.length === 0
            ? {}
            : {
                relatedLocations: d.related.map((r, id) => ({
                  id,
                  ...location(r.loc, regionOf(r.loc), options),
                  message: { text: r.message },
                })),
              }),
          ...(d.quickFix === undefined ? {} : { fixes: [fixOf(d.loc, d.quickFix, options)] }),
        })),
      },
    ],
  };
}

function ruleOf(code: string, entry: CatalogueEntry | undefined): SarifRule {
  const title = entry?.title ?? code;
  const rule = entry?.rule ?? title;
  const examples = [
    ...(entry?.wrong === undefined ? [] : [`wrong:\n${entry.wrong}`]),
    ...(entry?.right === undefined ? [] : [`right:\n${entry.right}`]),
  ];
  return {
    id: code,
    shortDescription: { text: title },
    fullDescription: { text: rule },
    help: { text: [rule, ...examples].join("\n\n") },
  };
}

const regionOf = (loc: Loc): Region => ({ startLine: loc.line, startColumn: loc.col });

const endColumn = (d: Diagnostic, lines: SourceLines): number =>
  d.loc.col + lengthOnLine(lines.get(d.loc), d.loc.col, d.length);

function fixOf(loc: Loc, fix: QuickFix, options: SarifOptions): SarifFix {
  const replacements = fix.edits.map((e) => ({
    deletedRegion: { startLine: e.line, startColumn: e.col, endLine: e.line, endColumn: e.endCol },
    insertedContent: { text: e.text },
  }));
  return {
    description: { text: fix.title },
    artifactChanges: [{ artifactLocation: artifact(loc, options), replacements }],
  };
}

function location(loc: Loc, region: Region, options: SarifOptions): SarifLocation {
  return { physicalLocation: { artifactLocation: artifact(loc, options), region } };
}

function artifact(loc: Loc, options: SarifOptions): ArtifactLocation {
  const file = fileOf(loc, options.root);
  const inside = relative(options.base, file);
  return inside.startsWith("..") || inside === file
    ? { uri: pathToFileURL(file).href }
    : { uri: inside.split(sep).map(encodeURIComponent).join("/"), uriBaseId: "%SRCROOT%" };
}

/** A base must end in `/`. */
const folderUri = (folder: string): string => pathToFileURL(folder).href.replace(/\/?$/, "/");
