/** The codes whose findings may carry a fix as edits: editors ask for the others in vain. What the fixes are: frontend/quick-fixes.ts. */
export const fixableCodes = [
  "TMC1018",
  "TMC1104",
  "TMC1113",
  "TMC1130",
  "TMC1202",
  "TMC1206",
  "TMC1211",
  "TMC1215",
  "TMC1216",
] as const;

export type FixableCode = (typeof fixableCodes)[number];
