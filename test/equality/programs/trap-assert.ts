// Uncaught: a failed assertion, in a method called through an interface.
interface Check {
  run(n: i32): boolean;
}
class Positive implements Check {
  run(n: i32): boolean {
    assert(n > 0);
    return true;
  }
}
class Even implements Check {
  run(n: i32): boolean {
    return n % 2 === 0;
  }
}
const checks: Check[] = [new Even(), new Positive()];
export function main(): void {
  for (const c of checks) log(c.run(3));
  for (const c of checks) log(c.run(-3));
}
