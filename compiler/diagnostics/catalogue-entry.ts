/** One coded message as `tmc explain CODE` shows it. Each area keeps a table of these in its `catalogue.ts`. */
export interface CatalogueEntry {
  /** "TMC3002" */
  readonly code: string;
  /** A few words. */
  readonly title: string;
  /** What holds and why, in the user's terms. */
  readonly rule: string;
  /** A short example that breaks the rule. */
  readonly wrong?: string;
  /** The same example mended. */
  readonly right?: string;
  /** Files beside the examples: name → text. */
  readonly files?: Readonly<Record<string, string>>;
}
