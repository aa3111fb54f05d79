// Checked builds: every unintended wrap traps, what is marked or fits does not. Unchecked, all of it wraps.
// modes: both
const max: i32 = 2147483647;
const min: i32 = -2147483648;
const one: i32 = 1;
const top: u32 = 4294967295;
const none: u32 = 0;
const cells = new Int32Array([2147483647, -2147483648]);
const bytes = new Uint8Array([255, 0]);
class Fields {
  small: i8 = 127;
  word: u16 = 65535;
}
const fields = new Fields();

function attempt(name: string, f: () => i32): void {
  try {
    log(name, f());
  } catch (e) {
    log(name, e.kind);
  }
}
function attemptU(name: string, f: () => u32): void {
  try {
    log(name, f());
  } catch (e) {
    log(name, e.kind);
  }
}

export function main(): void {
  attempt("max+1", () => max + one);
  attempt("min-1", () => min - one);
  attempt("max+0", () => max + 0);
  attempt("-min", () => -min);
  attempt("-max", () => -max);
  attempt("max*2", () => max * 2);
  attempt("46341^2", () => 46341 * (46340 + one));
  attempt("46340^2", () => 46340 * (46339 + one));
  attempt("-2^31", () => -65536 * (32767 + one));
  attempt("2^31", () => 65536 * (32767 + one));
  attempt("min*-1", () => min * -one);
  attempt("1-min", () => one - min);
  attempt("abs", () => Math.abs(min));
  attempt("purpose", () => (max + one) | 0);
  attempt("purpose tree", () => (max * 3 + (one - min)) | 0);
  attempt("imul", () => Math.imul(max, 3));
  attempt("min/-1", () => Math.trunc(min / -one));
  attempt("shift", () => one << 31);
  attempt("cells++", () => cells[0]++);
  attempt("after", () => cells[0]);
  attempt("cells -=", () => (cells[1] -= 1));
  attempt("after", () => cells[1]);
  attempt("u8++", () => bytes[0]++);
  attempt("u8 after", () => bytes[0]);
  attempt("u8 -=", () => (bytes[1] -= 1));
  attempt("u8 after", () => bytes[1]);
  attempt("u8 conversion", () => u8(200 + one * 100));
  attempt("i8++", () => ++fields.small);
  attempt("i8 after", () => fields.small);
  attempt("u16 *=", () => (fields.word *= 2));
  attempt("u16 after", () => fields.word);
  attempt("u16 &=", () => (fields.word &= 0xff));
  attempt("u16 <<=", () => (fields.word <<= 12));
  attemptU("top+1", () => top + 1);
  attemptU("0-1", () => none - 1);
  attemptU("65536^2", () => (none + 65536) * 65536);
  attemptU("65535*65537", () => (none + 65535) * 65537);
  attemptU("purpose", () => (none - 1) >>> 0);
  attemptU("purpose tree", () => (top * top + top) >>> 0);
  let i: u8 = 250;
  let turns = 0;
  try {
    for (; turns < 10; i++) turns++;
  } catch (e) {
    log(e.kind);
  }
  log(i, turns);
  let down: u32 = 1;
  try {
    for (; turns < 20; down--) turns++;
  } catch (e) {
    log(e.kind);
  }
  log(down, turns);
}
