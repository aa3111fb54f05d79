// throw, catch, rethrow, nesting; what was done before the trap stays done; locals changed in try are seen after.
const data = new Int32Array(2);
let state = 0;

function fail(text: i32): i32 {
  if (text === 1) throw new Error("one");
  if (text === 2) throw new Error("two words");
  return text;
}
function deep(n: i32): i32 {
  state++;
  const r = fail(n);
  state += 100;
  return r;
}
function early(n: i32): i32 {
  for (let i = 0; i < 10; i++) {
    try {
      if (i === n) return i * 10;
      if (i === 5) break;
      if (i % 2 === 0) continue;
      state++;
      fail(i);
    } catch {
      state += 1000;
    }
  }
  return -1;
}
function order(n: i32): void {
  try {
    log("try", n);
    fail(n);
    log("end of try");
  } catch {
    log("catch");
  }
  log("after");
}
function nested(n: i32): string {
  try {
    try {
      deep(n);
      data[n] = 1;
    } catch (e) {
      log("inner", e.kind, e.message);
      if (n === 2) throw e;
    }
    log("inner end", n);
    return "ok";
  } catch (e) {
    log("outer", e.kind, e.message);
    return e.message;
  }
}

export function main(): void {
  order(0);
  order(1);
  log(nested(0), state);
  log(nested(1), state);
  log(nested(2), state);
  log(nested(5), state);
  state = 0;
  log(early(0), state);
  log(early(4), state);
  log(early(100), state);
  let local = 1;
  let text = "before";
  let real = 0.5;
  try {
    local = 2;
    text = "in try";
    real = 1.5;
    deep(1);
    local = 3;
  } catch {
    local += 10;
    real *= 2;
  }
  log(local, text, real);
  for (let i = 0; i < 4; i++) {
    try {
      data[i] = i + 1;
      local += i;
    } catch (e) {
      log(i, e.kind, e.message === "");
      continue;
    }
    log("stored", i);
  }
  log(local, data[0], data[1]);
  let n = 0;
  try {
    n = 1;
    try {
      n = 2;
      throw new Error("a");
    } catch (e) {
      n += 10;
      throw e;
    }
  } catch (e) {
    log(e.message, n);
  }
  try {
    try {
      throw new Error("first");
    } catch {
      throw new Error("second");
    }
  } catch (e) {
    log(e.message);
  }
  const fallback = (k: i32): i32 => {
    try {
      return fail(k);
    } catch {
      return -k;
    }
  };
  log(fallback(1), fallback(2), fallback(3));
}
