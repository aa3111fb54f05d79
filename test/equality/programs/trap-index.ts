// Uncaught: index out of range.
const data = new Int32Array(3);
export function main(): void {
  for (let i = 0; i < 5; i++) {
    data[i] = i;
    log("stored", i);
  }
}
