/** Numbers and times for people. Units are always written. */

const sizes = ["B", "KB", "MB", "GB", "TB"] as const;

export function bytes(n: number): string {
  let size = 0;
  let value = n;
  while (value >= 1024 && size < sizes.length - 1) {
    value /= 1024;
    size++;
  }
  return `${size === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${sizes[size] ?? ""}`;
}

export function ms(value: number | null | undefined): string {
  if (value === undefined || value === null) return "–";
  if (value < 1) return `${Math.round(value * 1000)} µs`;
  if (value < 1000) return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  return `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)} s`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export function ago(iso: string, now: number = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  return seconds < 5 ? "now" : `${duration(seconds)} ago`;
}

export function clock(time: string | number): string {
  return new Date(time).toLocaleTimeString(undefined, { hour12: false });
}

/** 0.934 → "0.934", 12345.6 → "12,346". */
export function number(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(4)));
}

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${number(n)} ${n === 1 ? one : many}`;

/** A name of the bus's error flags. */
export function errorFlags(flags: number): string[] {
  const names = [
    "a trap since boot",
    "settings were unreadable",
    "a sensor is missing",
    "the boot before crashed",
  ];
  return names.filter((_, bit) => (flags & (1 << bit)) !== 0);
}
