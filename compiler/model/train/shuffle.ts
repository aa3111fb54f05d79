/** The order in which samples are trained on: a permutation that follows from a seed. Not for cryptography. */

/** 0..count-1 in an order that depends on `seed` alone (Fisher and Yates, with splitmix32). */
export function shuffled(count: number, seed: number): number[] {
  let state = seed | 0;
  const random = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}
