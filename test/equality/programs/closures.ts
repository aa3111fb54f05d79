// Closures: stored in setup with per-iteration captures and shared cells; at run time passed down with mutable captures.
type Step = (x: i32) => i32;
interface Meter {
  readonly add: (x: i32) => void;
  readonly read: () => i32;
}
const steps: Step[] = [];
for (let i = 0; i < 4; i++) steps.push((x) => x * 10 + i);
const powers: Step[] = [];
for (const base of [2, 3]) {
  let calls = 0;
  powers.push((x) => {
    calls++;
    return x * base + calls;
  });
}
function meter(start: i32): Meter {
  let total = start;
  let adds = 0;
  return {
    add: (x) => {
      total += x;
      adds++;
    },
    read: () => total * 100 + adds,
  };
}
const one = meter(1);
const two = meter(1000);
const offsets = new Int32Array([5, 6, 7]);
const byIndex: Step = (i) => offsets[i];
let global = 1;
const bump = (): i32 => ++global;
function compose(f: Step, g: Step): Step {
  return (x) => g(f(x));
}
const composed = compose(steps[1], byIndexSafe);
function byIndexSafe(x: i32): i32 {
  return x + offsets[0];
}

function times(n: i32, f: (i: i32) => void): void {
  for (let i = 0; i < n; i++) f(i);
}
function twice(f: Step, x: i32): i32 {
  return f(f(x));
}
function fold(values: Int32Array, start: i32, f: (sum: i32, v: i32) => i32): i32 {
  let sum = start;
  for (const v of values) sum = f(sum, v);
  return sum;
}
class Button {
  presses: i32 = 0;
  readonly onPress: () => void = () => {
    this.presses += 10;
  };
}
const button = new Button();

export function main(): void {
  for (const s of steps) log(s(7));
  for (const p of powers) log(p(10), p(10), p(1));
  one.add(5);
  one.add(-2);
  two.add(1);
  log(one.read(), two.read());
  log(byIndex(0), byIndex(2), bump(), bump(), global);
  offsets[0] = 50;
  log(byIndex(0), composed(4));
  let sum = 0;
  let last = -1;
  times(5, (i) => {
    sum += i * i;
    last = i;
  });
  log(sum, last);
  const factor = 3;
  log(
    twice((x) => x * factor, 5),
    twice(steps[3], 1),
    twice(bump2, 1),
  );
  log(fold(offsets, 1, (a, b) => a + b), fold(offsets, 0, (a, b) => Math.max(a, b)));
  let depth = 0;
  times(2, (i) => {
    depth += twice((x) => x + i, 10);
  });
  log(depth);
  const counter = (): i32 => {
    depth++;
    return depth;
  };
  log(counter() + counter(), depth);
  for (let i = 0; i < 3; i++) {
    const captured = i * 2;
    times(1, (k) => {
      sum += captured + k + i;
    });
  }
  log(sum);
  button.onPress();
  button.onPress();
  log(button.presses);
  let f: Step = steps[0];
  log(f(1));
  f = sum > 0 ? steps[1] : byIndexSafe;
  log(f(1));
  try {
    times(3, (i) => {
      if (i === 1) throw new Error("from a closure");
      last = 100 + i;
    });
  } catch (e) {
    log(e.kind, e.message, last);
  }
}
function bump2(x: i32): i32 {
  return x + global;
}
