// T | null: objects, strings, numbers, booleans; narrowing; the trap of !.
class Item {
  next: Item | null = null;
  constructor(readonly value: i32) {}
}
const a = new Item(1);
const b = new Item(2);
const c = new Item(3);
a.next = b;
b.next = c;
let head: Item | null = a;
let maybe: i32 | null = null;
let real: f64 | null = 0;
let word: string | null = null;
let flag: boolean | null = false;
let byte: u8 | null = 255;
const holes: (i32 | null)[] = [1, null, 0, -1, null];
const names: (string | null)[] = ["", null, "x"];

function find(value: i32): Item | null {
  for (let n = head; n !== null; n = n.next) if (n.value === value) return n;
  return null;
}
function half(n: i32): i32 | null {
  return n % 2 === 0 ? n >> 1 : null;
}
function valueOf(n: Item | null): i32 {
  return n === null ? -1 : n.value;
}
function or(n: i32 | null, other: i32): i32 {
  if (n === null) return other;
  return n;
}
function show(): void {
  log(maybe === null, or(maybe, -9), real === null, word === null, flag === null, byte === null);
}

export function main(): void {
  let sum = 0;
  for (let n = head; n !== null; n = n.next) sum = sum * 10 + n.value;
  log(sum);
  const two = find(2);
  const nine = find(9);
  log(two !== null, nine === null, two === b, nine === two, valueOf(two), valueOf(nine));
  log(or(half(10), -1), or(half(7), -1), or(half(0), -1), half(0) === null, half(1) === null);
  show();
  maybe = 0;
  real = null;
  word = "";
  flag = null;
  byte = null;
  show();
  maybe = null;
  word = null;
  flag = true;
  show();
  let count = 0;
  for (const h of holes) {
    if (h === null) count += 100;
    else count += h;
  }
  log(count);
  for (const n of names) log(n === null ? -1 : n.length);
  holes[1] = 7;
  holes[0] = null;
  for (const h of holes) log(h === null, h === null ? -1 : h);
  log(holes[3] !== null && holes[3] < 0);
  let local: i32 | null = half(8);
  if (local !== null) local = half(local);
  log(local === null ? -1 : local);
  let cursor: Item | null = a;
  while (cursor !== null && cursor.value < 3) cursor = cursor.next;
  log(valueOf(cursor), find(3)!.value, half(20)!);
  b.next = null;
  head = b;
  log(find(1) === null, valueOf(find(2)), valueOf(b.next));
  try {
    log(find(1)!.value);
  } catch (e) {
    log(e.kind);
  }
  try {
    log(half(3)!);
  } catch (e) {
    log(e.kind);
  }
  try {
    log(names[1]!);
  } catch (e) {
    log(e.kind);
  }
}
