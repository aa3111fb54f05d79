// `import * as m`: functions, live bindings, constants, enums, types, and re-exports through it.
import * as shapes from "./modules/shapes.js";
import * as state from "./modules/state.js";
import * as std from "tmc";

const item: state.Item = shapes.make(3, state.Kind.Large);
const line = new std.TextBuffer(16);
const apply: (by: i32) => void = state.increment;

export function main(): void {
  log(shapes.sides, shapes.limit, item.value, item.kind === state.Kind.Large);
  state.increment();
  apply(4);
  log(state.counter, shapes.made());
  line.write(`${state.counter + shapes.sides}`);
  log(line.toString());
}
