// Setup runs at build time: tables by loops, Map, Set, array methods, text building, host maths, object graphs with cycles.
class Vertex {
  readonly edges: Vertex[] = [];
  constructor(
    readonly name: string,
    public weight: i32 = 0,
  ) {}
}
const sine = new Int16Array(64);
for (let i = 0; i < 64; i++) sine[i] = i16(Math.round(Math.sin((2 * Math.PI * f64(i)) / 64) * 32767));
const squares: i32[] = [];
for (let i = 0; i < 10; i++) squares.push(i * i);
const even: i32[] = squares.filter((x) => x % 2 === 0).map((x) => x * 10);
const names: string[] = "zeta,alpha,mid".split(",").map((s) => s.toUpperCase());
const sorted: string[] = names.slice().sort((a, b) => (a < b ? -1 : 1));
const codes = new Map<string, i32>();
codes.set("one", 1);
codes.set("two", 2);
codes.set("three", 3);
codes.delete("two");
const unique = new Set<i32>();
for (const v of [1, 2, 2, 3, 1]) unique.add(v);
const label = `${names.length}:${names.join("-")}:${(255).toString(16)}:${(1.005).toFixed(1)}`;
const a = new Vertex("a");
const b = new Vertex("b", 5);
a.edges.push(b, a);
b.edges.push(a);
let fibonacci: RomArray<u32> = makeFibonacci(20);
function makeFibonacci(n: i32): u32[] {
  const list: u32[] = [0, 1];
  while (list.length < n) list.push(list[list.length - 1] + list[list.length - 2]);
  return list;
}
const crc = new Uint32Array(256);
for (let n: u32 = 0; n < 256; n++) {
  let c: u32 = n;
  for (let k = 0; k < 8; k++) c = (c & 1) !== 0 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  crc[i32(n)] = c;
}
const size = unique.size;
const one = codes.get("one") === 1;
const has = [codes.has("two"), codes.has("three"), codes.size === 2];

export function main(): void {
  log(sine[0], sine[8], sine[16], sine[48], sine[63]);
  log(squares[9], even.length, even[2], even[4]);
  for (const s of sorted) log(s);
  log(names[0], label);
  log(size, one, has[0], has[1], has[2]);
  log(a.edges.length, a.edges[0].name, a.edges[1] === a, a.edges[0].edges[0].name, b.weight);
  b.weight++;
  log(a.edges[0].weight);
  log(fibonacci[19], fibonacci.length);
  log(crc[1], crc[255], crc[128]);
}
