// Members of values whose type is a constrained type parameter; every type argument has its own code.
interface HasId {
  readonly id: i32;
}
interface Named {
  name(): string;
}
class User implements HasId, Named {
  constructor(
    readonly id: i32,
    private readonly text: string,
  ) {}
  name(): string {
    return this.text;
  }
}
class Device {
  level: f32 = 0.5;
  double(): f32 {
    return this.level * 2;
  }
  constructor(readonly id: i32) {}
  raise(by: f32): void {
    this.level += by;
  }
}
function maxId<T extends HasId>(list: T[]): T | null {
  let best: T | null = null;
  for (const x of list) {
    if (best === null || x.id > best.id) best = x;
  }
  return best;
}
function same<A extends { id: i32 }, B extends { id: i32 }>(a: A, b: B): boolean {
  return a.id === b.id;
}
function label<T extends HasId & Named>(x: T): string {
  return x.id > 1 ? x.name() : "first";
}
interface Raisable {
  level: f32;
  double(): f32;
  raise(by: f32): void;
}
function raised<T extends Raisable>(x: T): f32 {
  x.raise(0.25);
  x.level += 1;
  return x.double();
}
class Index<T extends HasId> {
  private readonly items: (T | null)[] = [null, null, null];
  put(x: T): void {
    this.items[x.id] = x;
  }
  has(id: i32): boolean {
    return this.items[id]?.id === id;
  }
}
const users = [new User(1, "ann"), new User(2, "bob")];
const device = new Device(2);
const index = new Index<User>();
for (const u of users) index.put(u);
export function main(): void {
  log(maxId(users)?.name() ?? "none", same(users[1]!, device), same(device, users[0]!));
  log(label(users[0]!), label(users[1]!), raised(device), device.level);
  log(index.has(0), index.has(2));
}
