// Uncaught: a text over the capacity of its buffer; the place is in the library.
import { TextBuffer } from "tmc";
const out = new TextBuffer(4);
export function main(): void {
  out.write("abcd");
  log(out.toString());
  out.write("e");
}
