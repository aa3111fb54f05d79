// Every kind of trap, caught: its kind, and that the program goes on unharmed.
import { List } from "tmc";
class Box {
  v: i32 = 1;
}
const list = new List<i32>(1);
const data = new Uint8Array(2);
let box: Box | null = null;
const zero: i32 = 0;

function tryAll(which: i32): string {
  try {
    switch (which) {
      case 0:
        log(data[which + 2]);
        break;
      case 1:
        log(box!.v);
        break;
      case 2:
        log(which % zero);
        break;
      case 3:
        list.push(1);
        list.push(2);
        break;
      case 4:
        throw new Error("thrown");
      case 5:
        assert(which < 5);
        break;
      case 6:
        log("text".charCodeAt(which));
        break;
      case 7:
        data.set(new Uint8Array(3));
        break;
      case 8:
        log(Math.trunc(which / zero));
        break;
    }
    return "none";
  } catch (e) {
    return e.kind;
  }
}

export function main(): void {
  for (let i = 0; i < 10; i++) log(i, tryAll(i));
  log(list.length, data[0]);
  assert(list.length === 1);
  log("end");
}
