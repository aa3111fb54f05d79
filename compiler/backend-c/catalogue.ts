/** Messages of the C backend (TMC195x), for `tmc explain`: what it does not cover yet. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC1951",
    title: "a fresh object from a function value with several targets",
    rule: "A function that returns a fresh object writes it into the caller's frame; where a function value can be one of several functions, that is not supported yet (a method can). Return an object that setup made, or pass one in to be filled.",
  },
];
