// Defaults of type parameters; Math.min and Math.max of more than two.
class Grid<T = i16> {
  readonly cells: T[];
  constructor(readonly columns: i32, cells: T[]) {
    this.cells = cells;
  }
}
class Counter<N extends i32 = i32> {
  n: i32 = 0;
  add(): i32 {
    return ++this.n;
  }
}
const grid = new Grid<f32>(2, [1, 2.5]);
const counter = new Counter();
function next(): i32 {
  log("next", counter.n);
  return counter.add();
}
export function main(): void {
  log(grid.cells[1]!, grid.columns);
  log(Math.max(next(), next(), next()), Math.min(next(), -1, next(), 0));
  const a: f32 = 0.5;
  const zero: f64 = 0;
  log(Math.max(a, 2, 1.5), Math.min(zero, -zero, 1), 1 / Math.min(zero, -zero, 1), Math.max(1, 2, 3, 4));
  log(Math.max(1, zero / zero, 2));
}
