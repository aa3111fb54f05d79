// Unions of object types, tuples, destructuring, spread of object literals.
interface Circle { kind: "circle"; r: f32 }
interface Square { kind: "square"; s: f32; name: string | null }
interface Dot { kind: "dot" }
type Shape = Circle | Square | Dot;
function area(s: Shape): f32 {
  switch (s.kind) {
    case "circle": return s.r * s.r * f32(3.14159274);
    case "square": return s.s * s.s;
    case "dot": return 0;
  }
}
const shapes: Shape[] = [{ kind: "circle", r: 2 }, { kind: "square", s: 3, name: "sq" }, { kind: "dot" }];
class Ok { readonly ok = true; constructor(readonly value: i32) {} }
class Err { readonly ok = false; constructor(readonly code: i32) {} }
type Result = Ok | Err;
const results: Result[] = [new Ok(5), new Err(7)];
function show(r: Result): i32 { if (r instanceof Ok) return r.value; return -r.code; }
interface P { x: i32; y: i32 }
const p: P = { x: 1, y: 2 };
const q: P = { ...p, y: 9 };
const pair: [i32, string] = [4, "four"];
const pairs: [i32, f32][] = [[1, 1.5], [2, 2.5]];
const m = new Map<string, i32>();
m.set("a", 1); m.set("b", 2);
const keys: string[] = []; let sum = 0;
for (const [k, v] of m) { keys.push(k); sum = i32(sum + v); }
function dist({ x, y }: P): i32 { return x * 10 + y; }
const arr: i32[] = [10, 20, 30];
function swap(a: i32[], i: i32, j: i32): void { [a[i], a[j]] = [a[j], a[i]]; }
function total(t: [i32, f32]): f32 { const [a, b] = t; return f32(a) + b; }
export function main(): void {
  for (const s of shapes) { log(s.kind, area(s)); if (s.kind === "square" && s.name !== null) log(s.name); }
  for (const r of results) log(show(r));
  const { x, y: yy } = q; log(x, yy, dist(p), dist({ x: 7, y: 8 }));
  const [n, s] = pair; log(n, s, pair[0], pair[1], pair.length);
  for (const [a, b] of pairs) log(a, b);
  log(keys[0], keys[1], sum);
  swap(arr, 0, 2); log(arr[0], arr[1], arr[2]);
  let a = 1; let b = 2; [a, b] = [b, a + b]; log(a, b);
  log(total([3, 0.25]));
  const [f0, , f2] = arr; log(f0, f2);
  const local: P = { ...p, x: a }; log(local.x, local.y);
}
