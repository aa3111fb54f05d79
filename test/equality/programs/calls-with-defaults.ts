// Defaults and optional parameters of function values that stand in a constant.
let counter = 0;
const bump = (by = 1): i32 => (counter += by);
const level = (x: f32, scale: f32 = -0.5, unit?: string): string => (x * scale < 0 ? (unit ?? "none") : "positive");
interface Op {
  run: (x?: i32) => i32;
}
const op: Op = { run: (x) => x ?? 9 };
function maybe(f?: (n: i32) => void): void {
  if (f !== undefined) f(3);
  else log("none");
}
export function main(): void {
  log(bump(), bump(5), bump(-2));
  log(op.run(), op.run(4), level(2), level(2, 1), level(1, -1, "m"));
  maybe();
  maybe((n) => log("called", n));
}
