// Uncaught: a trap inside a catch clause, and inside a module other than the entry.
import { at } from "./modules/at.js";
export function main(): void {
  try {
    log(at(1), at(9));
  } catch (e) {
    log("caught", e.kind);
    log(at(-1));
  }
}
