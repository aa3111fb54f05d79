// References: which object is meant is decided before the value is computed, whatever the value does to variables.
class Box {
  v: i32 = 0;
  add(n: i32): Box {
    this.v += n;
    return this;
  }
}
class Owner {
  box: Box;
  count: i32 = 0;
  constructor(box: Box) {
    this.box = box;
  }
  use(): Box {
    this.count++;
    return this.box;
  }
}
const a = new Box();
const b = new Box();
const owner = new Owner(a);
let current = a;
let array: i32[] = [1, 2, 3];
const other: i32[] = [10, 20, 30];

function toB(n: i32): i32 {
  current = b;
  owner.box = b;
  array = other;
  return n;
}
function back(): void {
  current = a;
  owner.box = a;
}
function show(name: string): void {
  log(name, a.v, b.v, owner.count, other[1]);
}

export function main(): void {
  current.v = toB(1);
  show("field");
  back();
  current.v += toB(10);
  show("compound");
  back();
  owner.box.v = toB(3);
  show("nested");
  back();
  owner.use().v += toB(100);
  show("through a call");
  back();
  array[1] = toB(5);
  show("element");
  array[toB(1)] += array[1];
  show("element twice");
  back();
  log(current.add(toB(1)).v, a.v, b.v);
  back();
  log(owner.use().add(owner.count).add(owner.count).v);
  const flag = a.v > b.v;
  (flag ? a : b).v = 7;
  show("chosen");
  log((flag ? array : other)[0], (flag ? "yes" : "no").length, (flag ? a : b) === a);
  let local = a;
  const same = local;
  local = b;
  log(same === a, local === b, same === local);
  local.v = 50;
  log(same.v, b.v);
}
