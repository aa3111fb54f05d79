// Closures passed to the same function inside each other: no recursion, each level has a function of its own.
type Visit = (x: i32) => void;

const rows: RomArray<i32> = [1, 2, 3];
const columns: RomArray<i32> = [10, 20];

function each(list: RomArray<i32>, visit: Visit): void {
  for (const x of list) visit(x);
}
function eachTwice(list: RomArray<i32>, visit: Visit): void {
  each(list, visit);
  each(list, (x) => visit(x + 100));
}
function fold<T>(list: RomArray<i32>, start: T, step: (sum: T, x: i32) => T): T {
  let sum = start;
  for (const x of list) sum = step(sum, x);
  return sum;
}
function attempt(otherwise: i32, body: () => i32): i32 {
  try {
    return body();
  } catch {
    return otherwise;
  }
}
abstract class Shape {
  abstract each(visit: Visit): void;
}
class Line extends Shape {
  constructor(readonly length: i32) {
    super();
  }
  each(visit: Visit): void {
    for (let i = 0; i < this.length; i++) visit(i);
  }
}
class Pair extends Shape {
  each(visit: Visit): void {
    visit(-1);
    visit(-2);
  }
}
class Grid {
  readonly shapes: Shape[] = [new Line(2), new Pair()];
  total = 0;
  cells(visit: (a: i32, b: i32) => void): void {
    for (const s of this.shapes) s.each((a) => s.each((b) => visit(a, b)));
  }
  count(): i32 {
    this.cells((a, b) => {
      this.total += a * b;
    });
    return this.total;
  }
}
const grid = new Grid();
const data = new Int32Array(2);

function show(x: i32): void {
  log("shown", x);
}

export function main(): void {
  let sum = 0;
  each(rows, (r) => {
    each(columns, (c) => {
      sum += r * c;
      each(rows, (d) => {
        sum += d;
      });
    });
  });
  log(sum);
  eachTwice(columns, (x) => {
    eachTwice(rows, (y) => {
      if (y < 2) log(x, y);
    });
  });
  log(fold(rows, 0, (a, x) => a + fold(columns, 1, (b, y) => b * y + x)));
  log(fold<f32>(rows, 0.5, (a, x) => a + fold<f32>(columns, 0, (b, y) => b + f32(y) / f32(x))));
  log(grid.count());
  log(attempt(-1, () => attempt(-2, () => data[sum]!) + data[1]! + attempt(-3, () => data[2]!)));
  each(columns, show);
  each(columns, (x) => {
    each(rows, show);
    log(x);
  });
}
