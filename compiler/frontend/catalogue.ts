/** Messages of the frontend, all areas of the language (TMC10xx syntax, 11xx structure, 12xx types), for `tmc explain`. The
 * examples are bodies of `main`, or whole modules; a test compiles each. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";
import { asyncMessages } from "./catalogue-async.js";
import { structureMessages } from "./catalogue-structure.js";
import { syntaxMessages } from "./catalogue-syntax.js";
import { typeMessages } from "./catalogue-types.js";
import { valueMessages } from "./catalogue-values.js";

export const catalogue: readonly CatalogueEntry[] = [
  ...syntaxMessages,
  ...valueMessages,
  ...structureMessages,
  ...typeMessages,
  ...asyncMessages,
];
