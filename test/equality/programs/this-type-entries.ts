// Methods that return `this`, also through a subclass; `for (const [i, x] of a.entries())`.
class Builder {
  protected n: i32 = 0;
  add(x: i32): this {
    this.n += x;
    return this;
  }
  total(): i32 {
    return this.n;
  }
}
class Twice extends Builder {
  double(): this {
    this.n *= 2;
    return this;
  }
}
const plain = new Builder();
const twice = new Twice();
const names: RomArray<string> = ["zero", "one", "two", "three"];
const data = new Int16Array([5, -6, 7]);
const pairs: [i32, string][] = [[1, "a"], [2, "b"]];
export function main(): void {
  log(plain.add(1).add(2).total());
  log(twice.add(3).double().add(1).double().total());
  for (const [i, name] of names.entries()) {
    if (i === 1) continue;
    log(i, name);
  }
  let sum = 0;
  outer: for (const [i, x] of data.entries()) {
    for (const [j] of data.entries()) {
      if (j > i) continue outer;
      sum += x * j;
      if (sum > 1000) break outer;
    }
  }
  log(sum);
  for (const [, [n, s]] of pairs.entries()) log(n, s);
  for (const [i, x] of data.subarray(1, 3).entries()) data[i] = x;
  log(data[0]!, data[1]!, data[2]!);
}
