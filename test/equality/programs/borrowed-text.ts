// Borrowed text in captured variables, records, tuples, objects and containers of a handler, read while it is valid.
import { List, TextBuffer } from "tmc";

const line = new TextBuffer(32);
const other = new TextBuffer(32);

interface Word {
  text: string;
  at: i32;
}
interface Pair {
  readonly first: Word;
  readonly second: Word;
}
interface Printer {
  readonly print: (n: i32) => void;
}
class Named {
  constructor(
    readonly name: string,
    readonly n: i32,
  ) {}
  show(): void {
    log(this.name, this.n);
  }
}

function times(n: i32, f: (i: i32) => void): void {
  for (let i: i32 = 0; i < n; i++) f(i);
}
function word(text: string, from: i32): Word {
  let to = from;
  while (to < text.length && text.charCodeAt(to) !== 32) to++;
  return { text: text.slice(from, to), at: from };
}
function read(n: i32): Word {
  line.assign("read ");
  line.write(`${n}`);
  return { text: line.toString(), at: n };
}
function fill(out: Word, n: i32): void {
  line.assign("fill ");
  line.write(`${n}`);
  out.text = line.toString();
  out.at = n;
}
function split(text: string): Pair {
  const first = word(text, 0);
  return { first, second: word(text, first.text.length + 1) };
}
function halves(text: string): [string, string] {
  return [text.slice(0, 2), text.slice(2)];
}
function last(): string {
  try {
    line.assign("from try");
    return line.toString();
  } finally {
    other.assign("finally");
  }
}

export function main(): void {
  line.assign("alpha beta");
  const text = line.toString();
  times(2, (i) => {
    other.assign(text.slice(i));
    times(2, (j) => log(i, j, text, other.toString()));
  });
  const pair = split(text);
  const show = (): void => log(pair.first.text, pair.second.text, pair.second.at);
  show();
  const [a, b] = halves(text);
  const printer: Printer = { print: (n) => log(n, a, b) };
  printer.print(1);
  const named = new Named(pair.second.text, 7);
  named.show();

  for (let i: i32 = 0; i < 3; i++) {
    const w = read(i);
    log(w.text, w.at);
  }
  const kept: Word = { text: "", at: -1 };
  log(kept.text.length, kept.at);
  for (let i: i32 = 0; i < 2; i++) {
    fill(kept, i);
    log(kept.text, kept.at);
  }
  const copy = new TextBuffer(16);
  const before = read(8);
  copy.assign(before.text);
  const after = read(9);
  log(copy.toString(), after.text, before.at);

  const words = new List<Word>(2);
  other.assign("gamma delta");
  const both = split(other.toString());
  words.push(both.first);
  words.push(both.second);
  line.clear();
  for (const w of words) log(w.text, w.at);
  log(last(), other.toString());
}
