const values: RomArray<i32> = [10, 20, 30];

export function at(i: i32): i32 {
  return values[i];
}
