// Text beyond ASCII is bytes: on every target the same ones.
import { TextBuffer } from "tmc";
const unit = utf8("µg/m³");
const out = new TextBuffer(24);

export function main(): void {
  log(unit, unit.length, unit.charCodeAt(0), unit.slice(0, 2) === utf8("µ"), unit.indexOf(utf8("³")));
  out.write(`${12.5} ${unit} ${utf8("→")}`);
  log(out.toString(), out.length);
}
