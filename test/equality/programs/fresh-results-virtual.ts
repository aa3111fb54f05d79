// Methods of several classes that return fresh objects, through an interface and a base class.
interface Reading {
  value: i32;
  name: string;
}
interface Source {
  read(n: i32): Reading;
}
class Fixed implements Source {
  constructor(readonly at: i32) {}
  read(n: i32): Reading {
    return { value: this.at + n, name: "fixed" };
  }
}
class Doubled implements Source {
  read(n: i32): Reading {
    const pair: [i32, i32] = [n, n];
    return { value: pair[0] + pair[1], name: "doubled" };
  }
}
class Kept implements Source {
  readonly last: Reading = { value: 0, name: "kept" };
  read(n: i32): Reading {
    this.last.value += n;
    return this.last;
  }
}
class Around implements Source {
  constructor(readonly inner: Doubled) {}
  read(n: i32): Reading {
    const r = this.inner.read(n);
    return { value: -r.value, name: r.name };
  }
}
abstract class Shape {
  abstract size(): [i32, i32];
  area(): i32 {
    const [w, h] = this.size();
    return w * h;
  }
}
class Square extends Shape {
  constructor(readonly a: i32) {
    super();
  }
  size(): [i32, i32] {
    return [this.a, this.a];
  }
}
class Box extends Shape {
  size(): [i32, i32] {
    return [2, 3];
  }
}
const sources: Source[] = [new Fixed(100), new Doubled(), new Kept(), new Around(new Doubled())];
const shapes: Shape[] = [new Square(5), new Box()];

/** Passes on what one of the sources made. */
function pick(i: i32, n: i32): Reading {
  return sources[i]!.read(n);
}
function sum(a: Reading, b: Reading): i32 {
  return a.value + b.value;
}

export function main(): void {
  for (const s of sources) {
    const a = s.read(1);
    const b = s.read(2);
    log(a.name, a.value, b.value, sum(a, b));
  }
  for (let i = 0; i < sources.length; i++) {
    const r = pick(i, i * 10);
    r.value++;
    log(r.name, r.value);
  }
  for (let i = 0; i < 2; i++) log(sum(pick(0, i), pick(1, i)), sum(sources[0]!.read(3), sources[1]!.read(4)));
  for (const s of shapes) log(s.area());
}
