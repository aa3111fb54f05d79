// Loops that count through an array or a string: an index that the loop proves is inside, and those it does not prove.
import { TextBuffer } from "tmc";

const long: i32[] = [1, 2, 3, 4, 5];
const short: i32[] = [7, 8];
const text = new TextBuffer(16);

function sum(a: i32[]): i32 {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * (i + 1);
  return total;
}

function hash(s: string): i32 {
  let h = 0;
  for (let i = 0; i < s.length; i += 1) h = Math.imul(h, 31) + s.charCodeAt(i);
  return h;
}

/** Doubles in place; an element is stored through the index of the loop. */
function double(a: Int32Array): void {
  for (let i = 0; i < a.length; ++i) a[i] *= 2;
}

/** The body moves the index out. */
function skips(a: i32[]): i32 {
  let total = 0;
  for (let i = 0; i < a.length; i++) {
    i += 3;
    total += a[i];
  }
  return total;
}

/** The body changes the array for a shorter one. */
function changes(a: i32[]): i32 {
  let total = 0;
  let from = a;
  for (let i = 0; i < from.length; i++) {
    total += from[i];
    if (i === 1) from = short;
    total += from[i + 1];
  }
  return total;
}

/** A closure changes the array. */
function captured(): i32 {
  let from = long;
  const swap = (): void => {
    from = short;
  };
  let total = 0;
  for (let i = 0; i < from.length; i++) {
    if (i === 3) swap();
    total += from[i];
  }
  return total;
}

/** The array of another loop. */
function other(a: i32[], b: i32[]): i32 {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += b[i];
  return total;
}

/** A start below 0. */
function early(a: i32[]): i32 {
  let total = 0;
  for (let i = -1; i < a.length; i++) total += a[i];
  return total;
}

/** The index is used after another variable of its name ended. */
function shadows(a: i32[]): i32 {
  let total = 0;
  for (let i = 0; i < a.length; i++) {
    for (let i = 0; i < 9; i++) total += a[i];
  }
  return total;
}

function kind(f: () => i32): void {
  try {
    log(f());
  } catch (e) {
    log(e.kind);
  }
}

export function main(): void {
  log(sum(long), sum(short), hash(""), hash("counted"));
  text.write(`n=${sum(long)}`);
  log(hash(text.toString()));
  const local = new Int32Array(3);
  local[1] = 21;
  double(local);
  log(local[0], local[1]);
  kind(() => skips(long));
  kind(() => changes(long));
  kind(captured);
  kind(() => other(long, short));
  kind(() => other(short, long));
  kind(() => early(long));
  kind(() => shadows(short));
}
