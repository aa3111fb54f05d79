/**
 * A program of as many lines as asked for, for `npm run bench:compile`: modules of classes, functions and tables as people
 * write them, all reached from `main`. The text depends on nothing but the number of lines.
 */

/** Lines of a module: what a person would still call one file. */
const moduleLines = 200;

/** The body of one unit; there are as many as the module has room for. */
const unit = (n: number): string => `
export interface Reading${n} {
  readonly channel: i32;
  value: f32;
}

export class Filter${n} implements Stage {
  private sum: f32 = 0;
  private count: i32 = 0;

  constructor(
    readonly gain: f32,
    private readonly limit: i32,
  ) {}

  step(x: f32): f32 {
    this.sum += x * this.gain;
    this.count++;
    if (this.count >= this.limit) {
      this.sum = 0;
      this.count = 0;
    }
    return this.sum;
  }

  get mean(): f32 {
    return this.count === 0 ? 0 : this.sum / f32(this.count);
  }
}

const table${n}: i32[] = [${Array.from({ length: 8 }, (_, i) => (n * 7 + i * 13) % 101).join(", ")}];
const filter${n} = new Filter${n}(0.5, ${(n % 9) + 2});

function mix${n}(a: i32, b: i32): i32 {
  let x = i32(a * 31 + b);
  for (let i = 0; i < table${n}.length; i++) {
    const t = table${n}[i];
    if (t > x) x = i32(x + t);
    else x = i32(x ^ (t << 1));
  }
  return x;
}

function pick${n}(reading: Reading${n} | null, mode: Mode): f32 {
  if (reading === null) return 0;
  switch (mode) {
    case "raw":
      return reading.value;
    case "mean":
      return filter${n}.mean;
    case "sum":
      return filter${n}.step(reading.value);
  }
}

export function run${n}(seed: i32, stages: Stage[]): i32 {
  const reading: Reading${n} = { channel: seed & 7, value: f32(seed) };
  let total = mix${n}(seed, reading.channel);
  for (const stage of stages) {
    total = i32(total + i32(stage.step(pick${n}(reading, "sum"))));
  }
  try {
    assert(total !== ${n});
  } catch {
    total = 1;
  }
  return i32(total + i32(pick${n}(reading, total > 0 ? "raw" : "mean")));
}
`;

const common = `export interface Stage {
  step(x: f32): f32;
}
export type Mode = "raw" | "mean" | "sum";
`;

const linesOf = (text: string): number => text.split("\n").length - 1;

/** Texts by file name; `app.ts` is the entry. At least `lines` lines, by one unit at most more. */
export function syntheticProgram(lines: number): ReadonlyMap<string, string> {
  const files = new Map([["common.ts", common]]);
  let total = linesOf(common);
  let n = 0;
  const calls: string[] = [];
  const imports: string[] = [];
  for (let m = 0; total < lines; m++) {
    let text = 'import type { Mode, Stage } from "./common.js";\n';
    const names: string[] = [];
    while (linesOf(text) < moduleLines && total + linesOf(text) + imports.length + calls.length < lines) {
      text += unit(n);
      names.push(`run${n}`, `Filter${n}`);
      calls.push(`  total = i32(total + run${n}(total, stages));`);
      n++;
    }
    if (names.length === 0) break;
    total += linesOf(text);
    files.set(`module${m}.ts`, text);
    imports.push(`import { ${names.join(", ")} } from "./module${m}.js";`);
  }
  const stages = Array.from({ length: Math.min(n, 4) }, (_, i) => `new Filter${i}(1, 3)`).join(", ");
  files.set(
    "app.ts",
    `import type { Stage } from "./common.js";
${imports.join("\n")}
const stages: Stage[] = [${stages}];
export function main(): void {
  let total: i32 = 1;
${calls.join("\n")}
  log(total);
}
`,
  );
  return files;
}

export const lineCount = (files: ReadonlyMap<string, string>): number =>
  [...files.values()].reduce((sum, text) => sum + linesOf(text), 0);
