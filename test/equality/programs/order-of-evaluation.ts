// Left to right, each operand once; in `a[i] = f()` the index is checked after f ran.
let trace: i32 = 0;
const data = new Int32Array(4);
const bytes = new Uint8Array(4);

function t(n: i32): i32 {
  trace = trace * 10 + n;
  return n;
}
function show(name: string, value: i32): void {
  log(name, value, trace);
  trace = 0;
}
function three(a: i32, b: i32, c: i32): i32 {
  return a * 100 + b * 10 + c;
}

export function main(): void {
  show("sum", t(1) + t(2) * t(3));
  show("parentheses", (t(1) + t(2)) * t(3));
  show("compare", t(1) < t(2) ? t(3) : t(4));
  show("arguments", three(t(1), t(2), t(3)));
  show("nested", three(t(1), three(t(2), t(3), t(4)), t(5)));
  show("and", t(1) === 1 && t(2) === 2 && t(3) === 0 && t(4) === 4 ? 1 : 0);
  show("or", t(1) === 0 || t(2) === 2 || t(3) === 3 ? 1 : 0);
  show("mixed", (t(1) === 1 || t(2) === 2) && (t(3) === 0 || t(4) === 4) ? t(5) : t(6));
  data[t(1)] = t(2);
  show("store", data[1]);
  data[t(1)] += t(3);
  show("compound", data[1]);
  data[t(0)] = data[t(1)] = t(7);
  show("chained", data[0] * 10 + data[1]);
  let i = 0;
  data[i++] = i;
  data[i++] += i++;
  show("i++", data[0] * 100 + data[1] * 10 + i);
  i = 0;
  i = i++ + ++i;
  show("i++ + ++i", i);
  i = 5;
  i += i++ * 2;
  show("i += i++", i);
  let k = 2;
  k = k + (k = 10) * k;
  show("assignment inside", k);
  const swap = data[2] - (data[2] = 5);
  show("read before write", swap);
  bytes[t(1)] = u8(t(2) + t(3));
  show("bytes", bytes[1]++ + bytes[1]);
  try {
    data[t(9)] = t(8);
  } catch (e) {
    show(e.kind, data[2]);
  }
  try {
    show("not reached", data[t(9)] + t(8));
  } catch (e) {
    show(e.kind, 0);
  }
  try {
    data[t(4)] += t(8);
  } catch (e) {
    show(e.kind, 1);
  }
  try {
    log("lost", t(1), data[t(4)], t(2));
  } catch (e) {
    show(e.kind, 2);
  }
  log("after");
}
