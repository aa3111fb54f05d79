// Optional chaining and ??: the tested operand is evaluated once, the rest only when it is there.
import { FixedMap } from "tmc";
class B { v: i32 = 7; next: B | null = null; name: string | null = null; get(i: i32): i32 { return this.v + i; } touch(): void { this.v++; } f: ((x: i32) => i32) | null = null; }
const a = new B(); const b = new B(); a.next = b; b.v = 9; b.f = (x) => x * 2;
const m = new FixedMap<string, i32>(4);
let calls = 0;
function pick(i: i32): B | null { calls++; return i > 0 ? a : null; }
export function main(): void {
  log(pick(1)?.v ?? -1, pick(0)?.v ?? -1, calls);
  log(pick(1)?.next?.v ?? 0, pick(1)?.next?.next?.v ?? -5, pick(1)?.next?.get(3) ?? 0);
  pick(1)?.touch(); pick(0)?.touch(); pick(1)?.next?.touch();
  log(a.v, b.v);
  m.set("x", 3);
  const k = m.get("x") ?? 0;
  log(k, m.get("y") ?? 42, a.name ?? "none");
  const n = pick(0) ?? b;
  log(n.v, a.next?.f?.(21) ?? 0, a.f?.(1) ?? -9);
  if (pick(1)?.v === 8) log("eight");
  const z = pick(0)?.v; log(z === null);
  let i = 0; while ((pick(i)?.v ?? 0) < 5 && i < 3) i++; log(i);
}
