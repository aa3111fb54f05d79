// switch on integers, bytes, booleans and enums, with shared cases, default in the middle and effects in the subject.
enum Mode {
  Idle,
  Run = 7,
  Stop,
}
let count = 0;
function next(): i32 {
  count++;
  return count;
}
function name(n: i32): string {
  switch (n) {
    case -2147483648:
      return "min";
    case -1:
      return "minus one";
    case 0:
    case 1:
      return "bit";
    case 2147483647:
      return "max";
    default:
      return "other";
  }
}
function mode(m: Mode): string {
  switch (m) {
    case Mode.Idle:
      return "idle";
    case Mode.Run:
      return "run";
    case Mode.Stop:
      return "stop";
  }
}
function middle(n: i32): i32 {
  let r = 0;
  switch (n) {
    case 1:
      r += 1;
      break;
    case 2:
      r += 10;
      break;
    default:
      r += 100;
      break;
    case 3:
      r += 1000;
  }
  return r;
}
function flag(b: boolean): i32 {
  switch (b) {
    case true:
      return 1;
    case false:
      return 0;
  }
}

export function main(): void {
  log(name(-2147483648), name(-1), name(0), name(1), name(2147483647), name(5));
  log(mode(Mode.Idle), mode(Mode.Run), mode(Mode.Stop), Mode.Stop, Mode.Run + 1);
  log(middle(1), middle(2), middle(3), middle(4));
  log(flag(true), flag(false));
  switch (next()) {
    case 2:
      log("two");
      break;
    case 1:
      log("one", count);
      break;
  }
  const b: u8 = 255;
  switch (b) {
    case 255: {
      const inner = b + 1;
      log("byte", inner);
      break;
    }
    default:
      log("not reached");
  }
  const u: u32 = 4294967295;
  switch (u) {
    case 4294967295:
      log("u32 max");
  }
  switch (count) {
    default:
      log("only default");
  }
}
