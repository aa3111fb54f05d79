// i32 at its edges: + - * and negation wrap modulo 2^32 when unchecked.
const edges: RomArray<i32> = [0, 1, -1, 2, 65536, 46341, 2147483647, -2147483648];

export function main(): void {
  for (const a of edges) {
    log(a, "neg", -a, "not", ~a, "sq", a * a, "+max", a + 2147483647, "-min", a - -2147483648);
  }
  let wrapped: i32 = 2147483647;
  wrapped++;
  log("max++", wrapped);
  wrapped--;
  log("min--", wrapped);
  let product: i32 = 1;
  for (let i = 0; i < 20; i++) product = product * 31 + i;
  log("hash", product);
  const x: i32 = 123456789;
  log("imul", x * 987654321, Math.imul(x, 987654321));
  log("purpose", (x * 99 + 2147483647) | 0, (x * 99 - 5) >>> 0);
  log("chain", edges[6] + edges[6] - edges[6] - edges[6], edges[7] * -1 - 1);
}
