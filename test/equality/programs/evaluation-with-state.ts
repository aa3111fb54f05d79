// A value read before a call that changes it keeps the old value.
let state = 1;
const cells = new Int32Array([1, 2, 3]);
class Box {
  v: i32 = 1;
  bump(): i32 {
    this.v *= 2;
    return this.v;
  }
}
const box = new Box();
function change(): i32 {
  state += 10;
  cells[0] += 100;
  return state;
}
function grow(b: Box): i32 {
  b.v += 1000;
  return 1;
}

export function main(): void {
  log(state + change(), state);
  log(state * 2 + change() + state);
  log(cells[0] + change() + cells[0]);
  log(box.v + box.bump() + box.v);
  log(box.v, grow(box), box.v);
  log(state, change(), state, change(), state);
  const a = [state, change(), state];
  log(a[0], a[1], a[2]);
  let local = 1;
  const set = (x: i32): i32 => {
    local = x;
    return x;
  };
  log(local + set(5) + local + set(7) * local);
  state -= change();
  log(state);
  cells[1] *= change() > 0 ? cells[1] + 1 : 0;
  log(cells[1]);
  log(state === change() || state === change(), state);
}
