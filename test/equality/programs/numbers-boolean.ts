// Booleans: operators, short circuit, comparison, in arrays, fields and conversions.
const flags: boolean[] = [true, false, true];
let calls = 0;
function yes(): boolean {
  calls++;
  return true;
}
function no(): boolean {
  calls += 10;
  return false;
}

export function main(): void {
  log(yes() && no(), calls);
  log(no() && yes(), calls);
  log(yes() || no(), calls);
  log(no() || yes(), calls);
  log(!(yes() && !no()) || (no() && yes()), calls);
  for (const f of flags) log(f, !f, f === true, i32(f));
  flags[1] = flags[0] && !flags[1];
  log(flags[0], flags[1], flags[2]);
  let t = flags[1];
  t = t === flags[2] ? !t : t;
  log(t, t ? "yes" : "no", t !== true);
}
