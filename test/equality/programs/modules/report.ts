import { counter, Kind, type Item } from "./state.js";
import { trace } from "./trace.js";

trace("report");
export const limit = counter + 1;
const names: RomArray<string> = ["small", "large"];

export function describe(item: Item): string {
  return names[item.kind === Kind.Small ? 0 : 1];
}
export function total(items: Item[]): i32 {
  let sum = 0;
  for (const item of items) sum += item.value + item.kind;
  return sum;
}
// The same private name as in shapes.ts.
export function made(): i32 {
  return -1;
}
