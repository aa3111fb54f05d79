/** What the plugin (in tsserver) and its worker say to each other. Types only. */
import type { QuickFix } from "../diagnostics/diagnostic.js";

export interface CheckRequest {
  readonly id: number;
  /** Absolute path of the file that is asked about. */
  readonly file: string;
  /** Texts of the editor that are not saved: absolute path → text. */
  readonly overlay: readonly (readonly [file: string, text: string])[];
}

export interface EditorPlace {
  /** Absolute path. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly col: number;
}

export interface EditorDiagnostic extends EditorPlace {
  /** `TMC1203` */
  readonly code: string;
  readonly severity: "error" | "warning" | "note";
  readonly length: number;
  readonly message: string;
  /** "" when there is none. */
  readonly fix: string;
  readonly related: readonly (EditorPlace & { readonly message: string })[];
  readonly quickFix?: QuickFix;
}

export interface CheckReply {
  readonly id: number;
  /** Findings in the file that was asked about. */
  readonly diagnostics: readonly EditorDiagnostic[];
  /** A bug of ours: its text; the diagnostics are then empty. */
  readonly failure: string | undefined;
}
