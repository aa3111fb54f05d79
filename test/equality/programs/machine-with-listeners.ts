import { TextBuffer, List, FixedMap } from "tmc";
// A realistic firmware module: parser + state machine + statistics
type State = { readonly k: "idle" } | { readonly k: "collecting"; count: i32; sum: f32 } | { readonly k: "alarm"; since: u32; reason: "high" | "low" };
interface Config { readonly threshold: { readonly high: f32; readonly low: f32 }; readonly window: i32; readonly names: readonly string[] }
const config: Config = { threshold: { high: 30, low: 5 }, window: 4, names: ["a", "b"] };
class Machine {
  private state: State = { k: "idle" };
  private readonly idle: State = { k: "idle" };
  private readonly collecting: { k: "collecting"; count: i32; sum: f32 } = { k: "collecting", count: 0, sum: 0 };
  private readonly alarm: { k: "alarm"; since: u32; reason: "high" | "low" } = { k: "alarm", since: 0, reason: "high" };
  private listeners: ((from: string, to: string) => void)[] = [];
  onChange(f: (from: string, to: string) => void): void { this.listeners.push(f); }
  private go(next: State): void { const from = this.state.k; this.state = next; for (const l of this.listeners) l(from, next.k); }
  feed(v: f32, now: u32): void {
    const s = this.state;
    switch (s.k) {
      case "idle": this.collecting.count = 1; this.collecting.sum = v; this.go(this.collecting); break;
      case "collecting": {
        s.count++; s.sum += v;
        if (s.count >= config.window) {
          const mean = s.sum / f32(s.count);
          if (mean > config.threshold.high || mean < config.threshold.low) {
            this.alarm.since = now; this.alarm.reason = mean > config.threshold.high ? "high" : "low"; this.go(this.alarm);
          } else this.go(this.idle);
        }
        break;
      }
      case "alarm": if (now - s.since > 10) this.go(this.idle); break;
    }
  }
  describe(out: TextBuffer): void {
    out.clear();
    const s = this.state;
    if (s.k === "alarm") out.write(`alarm ${s.reason} since ${s.since}`);
    else if (s.k === "collecting") out.write(`collecting ${s.count}`);
    else out.write("idle");
  }
}
const m = new Machine();
const seen = new FixedMap<string, i32>(8);
m.onChange((from, to) => { log(from, "->", to); seen.set(to, (seen.get(to) ?? 0) + 1); });
const out = new TextBuffer(40);
function parseF32(s: string): f32 | null {
  let i = 0; let neg = false; let v: f32 = 0; let scale: f32 = 0; 
  if (s.length > 0 && s.charCodeAt(0) === 45) { neg = true; i++; }
  if (i >= s.length) return null;
  for (; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c === 46) { if (scale !== 0) return null; scale = 1; continue; }
    if (c < 48 || c > 57) return null;
    v = v * 10 + f32(c - 48); if (scale !== 0) scale *= 10;
  }
  if (scale > 1) v /= scale;
  return neg ? -v : v;
}
const inputs: RomArray<string> = ["20", "45.5", "x", "50", "60", "1", "2", "-3", "-4.25", "0"];
export function main(): void {
  let now: u32 = 0;
  for (const text of inputs) {
    const v = parseF32(text);
    if (v === null) { log("bad", text); continue; }
    m.feed(v, now); now += 4;
    m.describe(out); log(out.toString());
  }
  for (const k of ["idle", "alarm", "collecting"]) log(k, seen.get(k) ?? 0);
}
