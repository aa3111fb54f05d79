// TextBuffer: template literals of every kind of value, capacity, clear, borrowed text.
import { TextBuffer } from "tmc";

const out = new TextBuffer(64);
const small = new TextBuffer(5);

export function main(): void {
  const i: i32 = -2147483648;
  const u: u32 = 4294967295;
  const f: f32 = 0.1;
  const d: f64 = 0.1;
  const b: u8 = 7;
  const t = d > 0;
  out.write(`i=${i} u=${u}`);
  log(out.toString(), out.length);
  out.clear();
  out.write(`f=${f} d=${d} b=${b} t=${t}`);
  log(out.toString(), out.length, out.capacity);
  out.clear();
  out.write("plain");
  out.write("");
  out.write(` and ${"text".slice(1, 3)}${-0.5}${1e21}`);
  log(out.toString());
  log(out.toString() === "plain and ex-0.51e+21", out.toString().indexOf("and"));
  small.write("12345");
  log(small.toString(), small.length);
  try {
    small.write("6");
  } catch (e) {
    log(e.kind, small.toString());
  }
  small.clear();
  small.write("12");
  try {
    small.write(`ab${1234}`);
  } catch (e) {
    log(e.kind, small.toString());
  }
  log(small.assign("too long"), small.toString());
  log(small.assign("ok"), small.toString());
  out.clear();
  for (let k = 0; k < 5; k++) out.write(`${k},`);
  log(out.toString());
  log(`direct ${i} ${f} ${t} ${"s"}`);
  log(`a${1}b`, `${2}`, ``, `x`);
}
