/** Reads the map file of the GNU linker: which object put how many bytes into which section of the image. */
import { readFileSync } from "node:fs";

export interface Contribution {
  /** Section of the image: `.text`. */
  readonly output: string;
  /** Section of the object: `.text.crc32`; "*fill*" is padding. */
  readonly input: string;
  readonly size: number;
  /** Path of the object or `archive(member)`; "" for padding. */
  readonly file: string;
}

/** All contributions above 0 bytes, in address order. Sections that the linker dropped are not among them. */
export function readLinkMap(file: string): Contribution[] {
  const lines = readFileSync(file, "latin1").split("\n");
  const start = lines.findIndex((line) => line.startsWith("Linker script and memory map"));
  const found: Contribution[] = [];
  let output = "";
  let pending = "";
  for (const line of lines.slice(start + 1)) {
    const head = /^([^\s*(]\S*)/.exec(line);
    if (head?.[1] !== undefined) {
      output = head[1];
      pending = "";
      continue;
    }
    const alone = /^ ([^\s*(]\S*)$/.exec(line);
    if (alone?.[1] !== undefined) {
      pending = alone[1]; // a long name: address, size and file are on the next line
      continue;
    }
    const full = /^ (\S*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?: (.+))?$/.exec(line);
    const input = full?.[1] === "" ? pending : full?.[1];
    pending = "";
    if (full?.[2] === undefined || input === undefined || input === "") {
      continue;
    }
    const size = Number.parseInt(full[2], 16);
    if (size > 0 && (input === "*fill*" || full[3] !== undefined)) {
      found.push({ output, input, size, file: full[3] ?? "" });
    }
  }
  return found;
}
