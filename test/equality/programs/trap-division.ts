// Uncaught: the remainder by zero.
const divisors: RomArray<i32> = [3, 0];
export function main(): void {
  for (const d of divisors) log(7 % d);
}
