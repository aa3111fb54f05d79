// The array of an element access is fixed before its index is computed, whatever the index does to the variable.
class Holder {
  data: i32[] = [1, 2, 3];
  swap(): i32 {
    this.data = short;
    return 2;
  }
}
const long: i32[] = [10, 20, 30];
const short: i32[] = [7];
let current = long;
const holder = new Holder();
function shrink(): i32 {
  current = short;
  return 2;
}
function reset(): void {
  current = long;
}

export function main(): void {
  log(current[shrink()], current.length);
  reset();
  current[shrink()] = 5;
  log(long[2], current.length);
  reset();
  current[shrink()] += 100;
  log(long[2], current.length);
  reset();
  log(current[shrink()]++, long[2]);
  try {
    log(current[shrink()]);
  } catch (e) {
    log(e.kind);
  }
  log(holder.data[holder.swap()], holder.data.length);
  let local = long;
  const narrow = (): i32 => {
    local = short;
    return 1;
  };
  log(local[narrow()], local.length);
  reset();
  let i = 0;
  current[i] = current[++i] + current[i + 1];
  log(long[0], i);
  reset();
  let other = long;
  log(other[(other = short).length], other.length);
}
