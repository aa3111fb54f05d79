import type { Item, Kind } from "./state.js";
import { trace } from "./trace.js";
export { limit } from "./report.js";

trace("shapes");
let made_ = 0;
export const sides = 4;

export function make(value: i32, kind: Kind): Item {
  made_++;
  return { value, kind };
}
export function made(): i32 {
  return made_;
}
