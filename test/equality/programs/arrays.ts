// Fixed arrays, RomArray, nested arrays, arrays of objects and strings, arrays made at run time.
class Cell {
  v: i32 = 0;
}
const numbers: i32[] = [3, 1, 2];
const rom: RomArray<u16> = [1, 10, 100, 1000, 10000];
const texts: string[] = ["b", "a", "c"];
const grid: i32[][] = [
  [1, 2, 3],
  [4, 5, 6],
];
const romGrid: RomArray<RomArray<u8>> = [
  [1, 2],
  [3, 4, 5],
];
const cells: Cell[] = [];
for (let i = 0; i < 3; i++) cells.push(new Cell());
const zeros = filled<f32>(4, 0.25);
const bools = filled(3, true);
const empty: i32[] = [];

function sort(a: i32[]): void {
  for (let i = 1; i < a.length; i++) {
    const v = a[i];
    let j = i - 1;
    while (j >= 0 && a[j] > v) {
      a[j + 1] = a[j];
      j--;
    }
    a[j + 1] = v;
  }
}
function total(a: RomArray<i32>): i32 {
  let s = 0;
  for (const v of a) s += v;
  return s;
}
function last(a: i32[]): i32 {
  return a[a.length - 1];
}

export function main(): void {
  sort(numbers);
  log(numbers[0], numbers[1], numbers[2], numbers.length, total(numbers));
  let sum: u32 = 0;
  for (const r of rom) sum += r;
  log(sum, rom[4], rom.length);
  const t = texts[0];
  texts[0] = texts[1];
  texts[1] = t;
  for (const s of texts) log(s);
  grid[1][2] += 10;
  grid[0] = grid[1];
  grid[0][0] = 40;
  log(grid[1][0], grid[0][2], grid.length, grid[1].length);
  grid[1][1] = 70;
  log(grid[0][1]);
  for (const row of romGrid) for (const v of row) log(v);
  for (let i = 0; i < cells.length; i++) cells[i].v = i * i;
  cells[2].v += cells[1].v;
  log(cells[0].v, cells[1].v, cells[2].v);
  log(zeros[3], bools[2], zeros.length, empty.length, total(empty));
  const local = [10, 20, 30];
  local[1] = 25;
  sort(local);
  log(local[0] + local[1], last(local), total(local));
  const reals = [0.5, 1.5];
  log(reals[0] + reals[1]);
  numbers.fill(4);
  numbers.fill(5, 1, 2);
  log(numbers[0], numbers[1], numbers[2]);
  try {
    log(empty[0]);
  } catch (e) {
    log(e.kind);
  }
  try {
    log(grid[1][3]);
  } catch (e) {
    log(e.kind);
  }
  try {
    log(grid[2][0]);
  } catch (e) {
    log(e.kind);
  }
  try {
    log(last(empty));
  } catch (e) {
    log(e.kind);
  }
}
