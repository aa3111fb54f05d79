/**
 * `npx tsx bench/signal-costs.ts [NAME…]`: executed instructions on the Cortex-M4 (QEMU, -O2, index checks on) and flash
 * of the f32 functions and signal helpers: the rows of docs/signal.md. Instructions are the difference between many and
 * few rounds, minus the same loop without the function; flash is what the image grows by, what the function uses
 * included. It checks no results: tests do.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { findBoard } from "../compiler/board/board.js";
import { readElf } from "../compiler/board/elf.js";
import { packagePath } from "../compiler/board/package-root.js";
import { runExecutable } from "../compiler/board/run.js";
import { buildExecutable } from "../compiler/board/toolchain.js";
import { formatDiagnostics } from "../compiler/diagnostics/format-diagnostics.js";
import { compileProgram } from "../compiler/pipeline/compile.js";

interface Subject {
  readonly name: string;
  /** Names from "tmc". */
  readonly uses: string;
  /** Statements of setup. */
  readonly setup?: string;
  /** What a round does. `x` runs over the inputs, `sink` keeps results alive; without inputs there are data of 512. */
  readonly body: string;
  /** The first and the last of `count` values x, equally far apart. */
  readonly inputs?: readonly [first: number, last: number];
}

const count = 64;

const of = (name: string, first: number, last: number): Subject => ({
  name: `${name}, ${first} to ${last}`,
  uses: name,
  body: `sink += ${name}(x)`,
  inputs: [first, last],
});

const bankOptions = "rate: 16000, size: 512, filters: 40, low: 20, high: 4000";

const subjects: readonly Subject[] = [
  of("expF32", -10, 10),
  of("logF32", 0.1, 100),
  of("log2F32", 0.1, 100),
  of("log10F32", 0.1, 100),
  { name: "powF32(x, 2.2), 0.1 to 100", uses: "powF32", body: "sink += powF32(x, 2.2)", inputs: [0.1, 100] },
  of("tanhF32", -0.6, 0.6),
  of("tanhF32", 1, 5),
  of("sigmoidF32", -5, 5),
  of("sinF32", -0.7, 0.7),
  of("sinF32", 1, 100),
  of("sinF32", 1000, 100000),
  of("cosF32", 1, 100),
  of("tanF32", 1, 100),
  of("atanF32", 0, 3),
  { name: "atan2F32(x, 1), -3 to 3", uses: "atan2F32", body: "sink += atan2F32(x, 1)", inputs: [-3, 3] },
  ...[128, 256, 512, 1024].flatMap((size) => [
    {
      name: `RealFft(${size})`,
      uses: "RealFft",
      setup: `const fft = new RealFft(${size}); const samples = new Float32Array(${size});`,
      body: "fft.run(samples)",
    },
    {
      name: `RealFftI16(${size})`,
      uses: "RealFftI16",
      setup: `const fft = new RealFftI16(${size}); const samples = new Int16Array(${size});`,
      body: "fft.run(samples)",
    },
  ]),
  { name: "Window, 512", uses: "Window", setup: 'const w = new Window("hann", 512);', body: "w.run(data)" },
  {
    name: "WindowI16, 512",
    uses: "WindowI16",
    setup: 'const w = new WindowI16("hann", 512);',
    body: "w.run(words)",
  },
  { name: "powerSpectrum, 512", uses: "powerSpectrum", body: "powerSpectrum(data, 512, out)" },
  { name: "magnitudeSpectrum, 512", uses: "magnitudeSpectrum", body: "magnitudeSpectrum(data, 512, out)" },
  {
    name: "MelFilterBank, 40 filters of 257 bins",
    uses: "MelFilterBank",
    setup: `const bank = new MelFilterBank({ ${bankOptions} });`,
    body: "bank.run(out, data)",
  },
  {
    name: "LogMel, 480 samples, 512 points, 40 filters",
    uses: "LogMel",
    setup: `const mel = new LogMel({ ${bankOptions}, frame: 480 });`,
    body: "mel.run(data, 0, out)",
  },
  ...["mean", "rms", "minimum", "peak", "zeroCrossingRate"].map((name) => ({
    name: `${name}, 512`,
    uses: name,
    body: `sink += ${name}(data)`,
  })),
  {
    name: "Moments, 512",
    uses: "Moments",
    setup: "const moments = new Moments();",
    body: "moments.run(data); sink += moments.kurtosis",
  },
];

const folder = packagePath("build", "signal-costs");

/** The program that runs `body` so often; "" is the loop alone. */
function programText(subject: Subject, body: string, rounds: number): string {
  const [first, last] = subject.inputs ?? [0, 0];
  // What changes from round to round, so that none is left out.
  const round =
    subject.inputs === undefined
      ? `data[0] += 1; words[0] = i16(words[0] ^ 1); out[0] += 1; sink += data[0] + out[0] + f32(words[0]); ${body};`
      : `for (const x of inputs) { sink += x; ${body}; }`;
  return `import { ${subject.uses} } from "tmc";
const inputs = new Float32Array(${count});
const first: f64 = ${first};
const step: f64 = ${(last - first) / (count - 1)};
for (let i = 0; i < ${count}; i++) inputs[i] = f32(first + step * f64(i));
const data = new Float32Array(512);
const words = new Int16Array(512);
const out = new Float32Array(257);
const rounds = new Int32Array(1);
${subject.setup ?? ""}
let sink: f32 = 0;
export function main(): void {
  for (let i = 0; i < 512; i++) data[i] = f32((i * 37) & 63) - 31;
  for (let i = 0; i < inputs.length; i++) inputs[i] += 0;
  rounds[0] += ${rounds};
  for (let round = 0; round < rounds[0]; round++) { ${round} }
  if (sink === 12345) log(sink);
}
`;
}

/** Executed instructions and bytes of flash. */
async function measured(text: string): Promise<{ instructions: number; flash: number }> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const entry = join(folder, "cost.ts");
  writeFileSync(entry, text);
  const result = compileProgram({ entry, root: packagePath(), checked: false, kind: "program" });
  if (!result.ok) throw new Error(formatDiagnostics(result.diagnostics, { root: packagePath() }));
  const { files, sources } = result.compiled.c;
  for (const file of files) writeFileSync(join(folder, basename(file.path)), file.text);
  const board = findBoard("qemu_cortex_m4");
  const { elf } = await buildExecutable({
    board,
    sources: sources.map((path) => join(folder, basename(path))),
    outDir: folder,
    name: "program",
    port: "program",
    cacheDir: packagePath("build", "bench-cache"),
  });
  const run = await runExecutable({ board, elf, count: true });
  if (run.instructions === undefined || run.exitCode !== 0) throw new Error(`it failed: ${run.stderr}`);
  const loaded = readElf(elf).sections.filter((s) => s.allocated && s.loaded && !s.writable);
  return { instructions: run.instructions, flash: loaded.reduce((sum, s) => sum + s.size, 0) };
}

const few = 2;
const many = 12;

async function row(subject: Subject): Promise<string> {
  const calls = (many - few) * (subject.inputs === undefined ? 1 : count);
  const perCall = async (body: string): Promise<{ instructions: number; flash: number }> => {
    const start = await measured(programText(subject, body, few));
    const end = await measured(programText(subject, body, many));
    return { instructions: (end.instructions - start.instructions) / calls, flash: end.flash };
  };
  const full = await perCall(subject.body);
  const empty = await perCall("");
  return `| ${subject.name} | ${Math.round(full.instructions - empty.instructions)} | ${full.flash - empty.flash} |`;
}

const wanted = process.argv.slice(2);
for (const subject of subjects) {
  if (wanted.length === 0 || wanted.some((name) => subject.name.startsWith(name))) {
    process.stdout.write(`${await row(subject)}\n`);
  }
}
