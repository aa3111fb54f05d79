// Inheritance: abstract methods, overrides, super, protected fields, dispatch through the base, instanceof.
abstract class Shape {
  static count: i32 = 0;
  constructor(protected readonly name: string) {
    Shape.count++;
  }
  abstract area(): f32;
  abstract get sides(): i32;
  describe(): string {
    return this.name;
  }
  twice(): f32 {
    return this.area() * 2;
  }
}
class Square extends Shape {
  constructor(readonly side: f32) {
    super("square");
  }
  area(): f32 {
    return this.side * this.side;
  }
  get sides(): i32 {
    return 4;
  }
}
class Circle extends Shape {
  constructor(protected r: f32) {
    super("circle");
  }
  area(): f32 {
    return this.r * this.r * 3.14159274;
  }
  get sides(): i32 {
    return 0;
  }
  override describe(): string {
    return "round";
  }
}
class Ring extends Circle {
  private readonly inner: f32;
  constructor(r: f32, inner: f32) {
    super(r);
    this.inner = inner;
  }
  override area(): f32 {
    return super.area() - this.inner * this.inner * 3.14159274;
  }
  override describe(): string {
    return super.describe().slice(0, 2) === "ro" ? "ring" : "?";
  }
  grow(): void {
    this.r += 1;
  }
}
class Plain {
  value(): i32 {
    return 1;
  }
  both(): i32 {
    return this.value() + 10;
  }
}
class Derived extends Plain {
  override value(): i32 {
    return super.value() + 1;
  }
}

const shapes: Shape[] = [new Square(2), new Circle(1.5), new Ring(2, 1)];
const ring = new Ring(3, 1);
const plain = new Plain();
const derived: Plain = new Derived();

export function main(): void {
  for (const s of shapes) log(s.describe(), s.area(), s.twice(), s.sides, s instanceof Square, s instanceof Circle, s instanceof Ring);
  ring.grow();
  log(ring.area(), ring.describe(), Shape.count);
  log(plain.value(), plain.both(), derived.value(), derived.both());
  const first = shapes[0];
  if (first instanceof Square) log("side", first.side);
  const second = shapes[2];
  if (second instanceof Ring) {
    second.grow();
    log("grown", second.area());
  } else {
    log("not reached");
  }
  const local = new Square(0.5);
  log(local.twice(), local.describe(), Shape.count);
}
