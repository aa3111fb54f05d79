// Short texts written where GCC for Arm once took every way through the copy for impossible and trapped.
import { TextBuffer } from "tmc";

let flag = false;
const long = new TextBuffer(40);
const short = new TextBuffer(4);

interface First {
  kind: "a";
  a0: u16;
  a1: f32;
}
interface Second {
  kind: "b";
}
interface Third {
  kind: "c";
}
type Either = First | Second | Third;
const either: Either[] = [{ kind: "a", a0: 65535, a1: 3 }, { kind: "b" }, { kind: "c" }];

function write(text: string, _unused: u16): i8 {
  if (flag) {
    if (long.assign("abd")) {
      const u = either[i32(0) & 1];
      switch (u.kind) {
        case "a":
          --u.a1;
          break;
        case "b":
          break;
        case "c":
          break;
      }
    }
  }
  short.write(text);
  return i8(0);
}

export function main(): void {
  flag = "" >= "ab";
  log("write", write("a", u16(0)), short.toString());
  // A view of the buffer itself, shifted by its own copy.
  long.assign("abcdef");
  long.write(long.toString().slice(1, 4));
  log(long.toString());
  log("a/b/c".indexOf("/"), "a/b/c".indexOf("/", 2), "abc".indexOf("/"), "a/b".includes("/"), "abc".includes(""));
}
