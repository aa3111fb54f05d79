/** Order of versions: numbers by value, the rest as text; "1.10.0" is newer than "1.9.0", "1.0.0" than "1.0.0-beta". */

function parts(version: string): { readonly numbers: readonly string[]; readonly pre: readonly string[] } {
  const core = version.split("+")[0] ?? "";
  const dash = core.indexOf("-");
  const main = dash < 0 ? core : core.slice(0, dash);
  return { numbers: main.split(/[._]/), pre: dash < 0 ? [] : core.slice(dash + 1).split(/[._-]/) };
}

function comparePart(a: string, b: string): number {
  const isNumber = /^\d+$/;
  if (isNumber.test(a) && isNumber.test(b)) {
    const x = BigInt(a);
    const y = BigInt(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (isNumber.test(a) !== isNumber.test(b)) return isNumber.test(a) ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = comparePart(a[i] ?? "", b[i] ?? "");
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Negative when `a` is older. Versions that differ in nothing of this are ordered as text. */
export function compareVersions(a: string, b: string): number {
  const x = parts(a);
  const y = parts(b);
  const main = compareLists(x.numbers, y.numbers);
  if (main !== 0) return main;
  if (x.pre.length === 0 || y.pre.length === 0) {
    if (x.pre.length !== y.pre.length) return x.pre.length === 0 ? 1 : -1;
  } else {
    const pre = compareLists(x.pre, y.pre);
    if (pre !== 0) return pre;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
