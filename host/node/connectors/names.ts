/** Names of the protocol ([a-z0-9._-], 1-32) for what devices call themselves. */

const longest = 32;

/** "BME 280: temp1" → "bme-280-temp1"; never empty. */
export function protocolName(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, longest);
  return name === "" ? "device" : name;
}

/** `protocolName`, with "-2", "-3" … when it is taken; adds it to `taken`. */
export function freeName(text: string, taken: Set<string>): string {
  const base = protocolName(text);
  let name = base;
  for (let i = 2; taken.has(name); i++) {
    const ending = `-${i}`;
    name = base.slice(0, longest - ending.length) + ending;
  }
  taken.add(name);
  return name;
}
