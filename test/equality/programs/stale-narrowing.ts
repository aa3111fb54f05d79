// What a test proved is checked again where a call may have changed it.
class Item {
  next: Item | null = null;
  mode: "idle" | "busy" | "done" = "idle";
  level: i32 | null = 5;
  v: i32 = 1;
}
const item = new Item();
item.next = new Item();
let global: Item | null = item;

function clear(): i32 {
  item.next = null;
  item.level = null;
  item.mode = "done";
  global = null;
  return 1;
}
function restore(): void {
  item.next = item;
  item.level = 7;
  item.mode = "idle";
  global = item;
}
function describe(m: "idle" | "busy" | "done"): string {
  switch (m) {
    case "idle":
      return "I";
    case "busy":
      return "B";
    case "done":
      return "D";
  }
}

export function main(): void {
  if (item.next !== null) {
    try {
      log(clear() + item.next.v);
    } catch (e) {
      log("field", e.kind);
    }
  }
  restore();
  if (item.level !== null) {
    log(item.level);
    try {
      log(item.level + clear());
      log(item.level);
    } catch (e) {
      log("number", e.kind);
    }
  }
  restore();
  if (global !== null) {
    try {
      clear();
      log(global.v);
    } catch (e) {
      log("global", e.kind);
    }
  }
  restore();
  if (item.mode === "idle") {
    clear();
    const seen: "idle" | "busy" | "done" = item.mode;
    log(item.mode, describe(seen), describe(item.mode));
  }
  restore();
  let local: Item | null = item;
  const drop = (): void => {
    local = null;
  };
  if (local !== null) {
    log(local.v);
    drop();
    try {
      log(local.v);
    } catch (e) {
      log("captured", e.kind);
    }
  }
  const kept = global;
  if (kept !== null) {
    clear();
    log(kept.v);
  }
}
