// Closures that may be absent, in fields, arrays and optional members; called with every kind of argument.
interface Handlers {
  readonly onText?: (s: string) => i32;
  onNumber: ((n: f32) => f32) | null;
}
class Timer {
  callback: (() => void) | null = null;
  fire(): boolean {
    const f = this.callback;
    if (f === null) return false;
    f();
    return true;
  }
}
let fired = 0;
const timers: Timer[] = [new Timer(), new Timer()];
timers[1].callback = () => {
  fired++;
};
const none: Handlers = { onNumber: null };
const both: Handlers = { onText: (s) => s.length, onNumber: (n) => n * 0.5 };
const double = (n: f32): f32 => n * 2;
const predicates: ((a: u8, b: boolean, c: string) => boolean)[] = [
  (a, b) => a > 100 && b,
  (_a, _b, c) => c === "yes",
];

function use(h: Handlers): void {
  if (h.onText !== undefined) log("text", h.onText("four"));
  if (h.onNumber !== null) log("number", h.onNumber(3));
}

export function main(): void {
  for (const t of timers) log(t.fire());
  log(fired);
  use(none);
  use(both);
  none.onNumber = double;
  use(none);
  for (const p of predicates) log(p(200, true, "no"), p(50, true, "yes"), p(200, false, ""));
}
