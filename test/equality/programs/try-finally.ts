// `finally` with every exit: end, return, break, continue, labels, throw, trap; nested; inside catch and loops.
const data = new Int32Array(3);
let state = 0;

function fail(n: i32): i32 {
  if (n === 1) throw new Error("one");
  return n;
}
function falls(n: i32): i32 {
  let x = n;
  try {
    x += 10;
  } finally {
    x += 100;
    log("finally", x);
  }
  return x;
}
/** The value is evaluated before the finalizer runs. */
function early(n: i32): i32 {
  let x = n;
  try {
    if (n === 0) return x;
    x++;
    return x * 2;
  } finally {
    x += 1000;
    state = x;
  }
}
function all(n: i32): string {
  try {
    log("try", fail(n));
    data[n] = n;
    return "returned";
  } catch (e) {
    log("catch", e.kind, e.message);
    if (n === 5) throw e;
    return "caught";
  } finally {
    log("finally", n);
  }
}
function loops(): i32 {
  let turns = 0;
  outer: for (let i = 0; i < 5; i++) {
    for (let j = 0; j < 5; j++) {
      try {
        turns++;
        if (j === 1) continue;
        if (i === 1) continue outer;
        if (j === 3) break;
        if (i === 3) break outer;
        if (i === 4) return -1;
      } finally {
        log("turn", i, j);
        state += 1;
      }
    }
  }
  return turns;
}
function nested(n: i32): i32 {
  try {
    try {
      try {
        if (n === 0) return 7;
        fail(n);
        data[n] = 1;
      } finally {
        log("a");
      }
      log("after a");
    } catch (e) {
      log("caught", e.kind);
      if (n === 3) throw e;
      return n + 50;
    } finally {
      log("b");
      for (let i = 0; i < 3; i++) {
        if (i === 1) continue;
        if (i === 2) break;
        log("in finally", i);
      }
    }
    log("after b");
    return 1;
  } finally {
    log("c");
    try {
      fail(1);
    } catch {
      log("d");
    } finally {
      log("e");
    }
  }
}
/** A trap in the finalizer replaces what was under way. */
function replaced(n: i32): i32 {
  try {
    if (n === 0) return 1;
    throw new Error("first");
  } finally {
    data[n + 2] = 5;
    if (n === 0) throw new Error("second");
  }
}
function switches(n: i32): string {
  let text = "none";
  for (let i = 0; i < 2; i++) {
    switch (n) {
      case 0:
        try {
          text = "zero";
          break;
        } finally {
          log("leaves the switch");
        }
      case 1:
        try {
          if (i === 0) continue;
          text = "one";
        } finally {
          log("next turn", i);
        }
        break;
      default:
        try {
          text = "more";
        } finally {
          log("end");
        }
    }
    log("behind", i);
  }
  return text;
}
interface Result {
  ok: boolean;
  value: i32;
}
function message(kind: i32): Result {
  const before = state;
  try {
    return { ok: kind === 0, value: state };
  } finally {
    state = before + 1;
  }
}
function procedure(n: i32): void {
  do {
    try {
      if (n > 2) return;
      log("procedure", n);
    } finally {
      log("done", n);
    }
  } while (false);
  log("last");
}
function inCatch(): f32 {
  let r: f32 = 0.5;
  try {
    throw new Error("x");
  } catch {
    try {
      r *= 3;
      return r;
    } finally {
      r = 100;
    }
  } finally {
    log("r", r);
  }
}

export function main(): void {
  log(falls(1), early(0), state, early(5), state);
  log(all(0), all(1), all(9));
  try {
    log(all(5));
  } catch (e) {
    log("main caught", e.kind);
  }
  state = 0;
  log(loops(), state);
  log(nested(0), nested(1), nested(2), nested(9));
  try {
    log(nested(3));
  } catch (e) {
    log(e.kind, e.message);
  }
  for (let n = 0; n < 2; n++) {
    try {
      log(replaced(n));
    } catch (e) {
      log(n, e.kind, e.message);
    }
  }
  log(switches(0), switches(1), switches(2));
  state = 41;
  log(message(0).value, message(1).ok, message(1).value, state);
  procedure(1);
  procedure(3);
  log(inCatch());
  const each = (n: i32): i32 => {
    try {
      return fail(n);
    } catch {
      return -1;
    } finally {
      state += n;
    }
  };
  log(each(1), each(4), state);
  try {
    state = 1;
    data[3] = 1;
  } finally {
    log("state", state);
  }
}
