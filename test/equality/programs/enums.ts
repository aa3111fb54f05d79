// Enums, as-const objects and literal unions: values, text, widening, switch, arrays and maps of them.
enum Level {
  Debug,
  Info,
  Warn = 10,
  Error,
  Negative = -3,
  Mask = (1 << 4) | 1,
}
type Color = "red" | "green" | "blue";
type Two = "green" | "red";
const limits = { low: -40, high: 85, name: "range", ratio: 0.5 } as const;
const names: RomArray<Color> = ["red", "green", "blue"];
const levels: RomArray<Level> = [Level.Error, Level.Debug, Level.Negative];

function rgb(c: Color): i32 {
  switch (c) {
    case "red":
      return 0xff0000;
    case "green":
      return 0x00ff00;
    case "blue":
      return 0x0000ff;
  }
}
function next(c: Color): Color {
  return c === "red" ? "green" : c === "green" ? "blue" : "red";
}
function widen(t: Two): Color {
  return t;
}
function text(c: Color): string {
  return c;
}

export function main(): void {
  log(Level.Debug, Level.Info, Level.Warn, Level.Error, Level.Negative, Level.Mask);
  for (const l of levels) log(l, l > Level.Info, l === Level.Error);
  for (const c of names) log(c, rgb(c), next(c), text(c).length, text(next(c)).slice(0, 2), c === "green");
  const t: Two = rgb("red") > 0 ? "red" : "green";
  log(widen(t), rgb(t), t !== "red", next(widen("green")));
  let mode: "on" | "off" = "off";
  log(mode);
  mode = text("red") === "red" ? "on" : "off";
  log(mode, mode === "on");
  log(limits.low, limits.high, limits.name, limits.ratio, limits.high - limits.low);
  let level: Level = Level.Warn;
  level = level === Level.Warn ? Level.Info : Level.Error;
  log(level, `${level} ${mode}`);
}
