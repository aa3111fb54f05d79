// Values of every kind in one frame, for the test of the debugger: the line numbers are part of the test.
import { List, TextBuffer } from "tmc";

type Mode = "idle" | "running";
enum Level {
  Low,
  High = 7,
}
interface Point {
  readonly x: f32;
  readonly y: f32;
  readonly name: string;
}
type Reading = { kind: "ok"; value: i32 } | { kind: "bad"; reason: string };

class Node {
  next: Node | null = null;
  constructor(
    readonly id: u8,
    readonly at: Point,
  ) {}
}

const second = new Node(2, { x: 3, y: 4.5, name: "second" });
const first = new Node(1, { x: 1, y: -2, name: "first" });
first.next = second;
const history = new List<i32>(4);
const line = new TextBuffer(8);

function show(node: Node, mode: Mode, level: Level, samples: Int16Array, limit: i32 | null): boolean {
  const flag = samples.length > 2;
  const text = node.at.name.slice(1);
  const here: Point = { x: 0.25, y: 100, name: "here" };
  const reading: Reading = flag ? { kind: "ok", value: 3 } : { kind: "bad", reason: text };
  const total = f64(here.x) + 1e-9;
  const last = node.next;
  history.push(samples[0]);
  line.write(`n=${node.id}`);
  return (
    flag &&
    last !== null &&
    total > 0 &&
    limit === null &&
    mode === "running" &&
    level === Level.High &&
    reading.kind === "ok"
  );
}

export function main(): void {
  log(show(first, "running", Level.High, new Int16Array([-5, 6, 7]), null));
}
