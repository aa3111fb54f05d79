// Several modules: initialised once, in the order of ECMAScript; live bindings; re-exports; equal names in two files.
import { counter, increment, Kind, type Item } from "./modules/state.js";
import { describe, made as other, total } from "./modules/report";
import { made, make, sides } from "./modules/shapes.js";
import { limit } from "./modules/shapes.js";
import { order, trace } from "./modules/trace.js";

trace("main");
const initialised = order();
const items: Item[] = [make(1, Kind.Small), make(20, Kind.Large)];

export function main(): void {
  log(initialised);
  log(counter, limit);
  increment(5);
  increment();
  log(counter);
  for (const item of items) log(describe(item), item.kind);
  log(total(items), sides, made(), other());
}
