/** `tmc model ops` and its kin as a user calls them: the tools that look at models without running them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chain } from "../../../test/models/random-graphs.js";
import { buildFile, int8, smallFile } from "../../../test/models/tflite-file.js";
import { callTmc } from "../../../test/support/tmc.js";
import { ExitCode } from "../../diagnostics/user-error.js";
import { writeTflite } from "../../model/tflite/write.js";

let folder: string;
let model: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-tools-test-"));
  model = join(folder, "small.tflite");
  input = join(folder, "input.bin");
  writeFileSync(model, buildFile(smallFile()));
  writeFileSync(
    input,
    Uint8Array.from({ length: 16 }, (_, i) => i * 15),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Elements of a document, in order; throws where it is not well-formed. */
function parseXml(text: string): { name: string; attributes: Map<string, string> }[] {
  const found: { name: string; attributes: Map<string, string> }[] = [];
  const open: string[] = [];
  let at = 0;
  for (const match of text.matchAll(/<(\/?)([A-Za-z]+)((?:\s+[A-Za-z:0-9-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const [tag, closing, name = "", attributes = "", empty] = match;
    const between = text.slice(at, match.index);
    if (
      /[<>]|&(?!(?:amp|lt|gt|quot);)/.test(between + attributes) ||
      (open.length === 0 && between.trim() !== "")
    ) {
      throw new Error(`not well-formed before ${tag}: ${between}`);
    }
    at = match.index + tag.length;
    if (closing === "/") {
      if (open.pop() !== name) throw new Error(`${tag} closes another element`);
      continue;
    }
    const pairs = [...attributes.matchAll(/([A-Za-z:0-9-]+)="([^"]*)"/g)].map(
      (m) => [m[1] ?? "", m[2] ?? ""] as const,
    );
    if (new Set(pairs.map(([key]) => key)).size !== pairs.length)
      throw new Error(`${tag}: an attribute twice`);
    found.push({ name, attributes: new Map(pairs) });
    if (empty !== "/") open.push(name);
  }
  if (open.length > 0 || text.slice(at).trim() !== "") throw new Error(`not closed: ${open.join(", ")}`);
  return found;
}

describe("tmc model ops", () => {
  it("prints operators, limits and layers of other formats", async () => {
    const { stdout, exitCode } = await callTmc(["model", "ops"]);
    expect(exitCode).toBe(ExitCode.ok);
    expect(stdout).toMatch(/^CONV_2D \(versions 1 to \d+\)\n {2}shapes +\[1, H, W, C\]/m);
    expect(stdout).toContain("every model:\n");
    expect(stdout).toMatch(/^ONNX model.*:\n(?: .*\n)*.*\bConv\b/m);
    expect(stdout).toMatch(/TensorFlow.js layers model.*:\n +Activation, /);
  });
  it("prints one operator, and the same for programs", async () => {
    const { stdout } = await callTmc(["model", "ops", "softmax"]);
    expect(stdout).toContain("SOFTMAX");
    expect(stdout).not.toContain("CONV_2D");
    const json: unknown = JSON.parse((await callTmc(["model", "ops", "SOFTMAX", "--json"])).stdout);
    expect(json).toMatchObject({ name: "SOFTMAX", attributes: { beta: "a positive finite number" } });
    const all: unknown = JSON.parse((await callTmc(["model", "ops", "--json"])).stdout);
    expect(all).toMatchObject({
      operators: expect.arrayContaining([expect.objectContaining({ name: "ADD" })]),
    });
  });
  it("refuses an operator that is not supported", async () => {
    const { stderr, exitCode } = await callTmc(["model", "ops", "CONV_2"]);
    expect(exitCode).toBe(ExitCode.usage);
    expect(stderr).toContain("CONV_2 is not a supported operator");
    expect(stderr).toContain("Did you mean CONV_2D?");
  });
});

describe("tmc model plan", () => {
  it("prints who lives where, the peak and its causes", async () => {
    const { stdout, exitCode } = await callTmc(["model", "plan", model]);
    expect(exitCode).toBe(ExitCode.ok);
    expect(stdout).toContain("small: 128 bytes of RAM, the least possible for these kernels");
    expect(stdout).toMatch(/^ +\d+ +16 +start +0 +input +0 "input"$/m);
    expect(stdout).toMatch(/^peak +128 bytes at once: operator 0 \(Conv2D, "conv"\)$/m);
    expect(stdout).toContain("scratch of operator 0");
  });
  it("prints the same for programs", async () => {
    const json: unknown = JSON.parse((await callTmc(["model", "plan", model, "--json"])).stdout);
    expect(json).toMatchObject({
      arenaBytes: 128,
      lowerBound: 128,
      optimal: true,
      peak: { step: 0, bytes: 128, holders: [{ what: "scratch" }, {}, {}] },
      steps: [{ operator: 0, kind: "Conv2D", aliveBytes: expect.any(Number) }, {}, { kind: "Softmax" }],
    });
  });
  it("draws a picture: well-formed, with titles, for light and dark", async () => {
    const named = smallFile();
    const odd = join(folder, "odd.tflite");
    const name = 'a<b>&"c\u0001';
    writeFileSync(
      odd,
      buildFile({ ...named, tensors: named.tensors.map((t, i) => (i === 3 ? { ...t, name } : t)) }),
    );
    const svg = join(folder, "plan.svg");
    expect((await callTmc(["model", "plan", odd, "--svg", svg])).exitCode).toBe(ExitCode.ok);
    const text = readFileSync(svg, "utf8");
    const elements = parseXml(text);
    expect(text).toContain("prefers-color-scheme: dark");
    expect(text).toContain("a&lt;b&gt;&amp;&quot;c?");
    const boxes = elements.filter(({ attributes }) => attributes.get("class")?.startsWith("box "));
    const titles = elements.filter(({ name }) => name === "title");
    expect(boxes.length).toBe(5); // input, conv, dense, softmax, scratch
    expect(titles.length).toBe(boxes.length + 3); // the picture's, the peak's, the bound's
    expect(() => parseXml(text.replace("</g>", ""))).toThrow();
    for (const { attributes } of boxes) {
      expect(Number(attributes.get("height"))).toBeGreaterThan(0);
      expect(Number(attributes.get("y"))).toBeGreaterThan(0);
    }
  });
  it("says what bands of rows bring, and plans them when asked to", async () => {
    const path = join(folder, "chain.tflite");
    writeFileSync(path, writeTflite(chain(4)));
    const { stdout } = await callTmc(["model", "plan", path]);
    expect(stdout).toMatch(/^chain: 3,\d{3} bytes of RAM/m);
    expect(stdout).toMatch(
      /^with --memory least: 1,\d{3} bytes; operators 0 to 4 in 4 bands of rows, [\d,]+ multiplications twice$/m,
    );
    const least = (await callTmc(["model", "plan", path, "--memory", "least"])).stdout;
    expect(least).toMatch(/^chain: 1,\d{3} bytes of RAM/m);
    expect(least).toContain("Bands 0-4");
    expect(least).toMatch(/^bands {2}operators 0 to 4 in 4 bands of rows/m);
    const json: unknown = JSON.parse((await callTmc(["model", "plan", path, "--json"])).stdout);
    expect(json).toMatchObject({ memory: "balanced", bands: null, least: { bands: { count: 4 } } });
    // In the descriptor, for builds and inspect.
    const descriptor = join(folder, "chain.yaml");
    writeFileSync(descriptor, "memory: least\n");
    const inspected: unknown = JSON.parse((await callTmc(["model", "inspect", path, "--json"])).stdout);
    expect(inspected).toMatchObject({
      bands: { operators: [0, 1, 2, 3, 4], count: 4 },
      memory: { peakOperator: 4 },
    });
    expect((await callTmc(["model", "describe", path])).stdout).toContain("memory: least");
    writeFileSync(descriptor, "memory: none\n");
    expect((await callTmc(["model", "inspect", path])).stderr).toMatch(/TMC2006.*memory/);
  });
  it("refuses a folder that does not exist", async () => {
    const { stderr, exitCode } = await callTmc([
      "model",
      "plan",
      model,
      "--svg",
      join(folder, "no", "x.svg"),
    ]);
    expect([exitCode, stderr]).toEqual([ExitCode.usage, expect.stringContaining("TMC3034")]);
  });
});

describe("tmc model verify", () => {
  const verify = (dumps: string, ...more: string[]) =>
    callTmc(["model", "verify", model, "--input", input, "--dumps", dumps, ...more]);
  const dumpsOf = async (name: string): Promise<string> => {
    const dumps = join(folder, name);
    await callTmc(["model", "run", model, "--input", input, "--layers", dumps]);
    return dumps;
  };
  const change = (file: string, at: number, by: number): void => {
    const bytes = readFileSync(file);
    bytes[at] = ((bytes[at] ?? 0) + by) & 0xff;
    writeFileSync(file, bytes);
  };

  it("says that all layers are equal", async () => {
    expect(await verify(await dumpsOf("equal"))).toEqual({
      stdout: "small: 4 of 4 layers equal\n",
      stderr: "",
      exitCode: ExitCode.ok,
    });
  });
  it("names the first layer and element that differ, and how far all are away", async () => {
    const dumps = await dumpsOf("different");
    change(join(dumps, "op02_tensor6.bin"), 0, 3);
    change(join(dumps, "op00_tensor3.bin"), 5, -1);
    const { stdout, stderr, exitCode } = await verify(dumps);
    expect(exitCode).toBe(ExitCode.failed);
    expect(stdout).toContain("small: 2 of 4 layers equal");
    expect(stdout).toContain("operator 2 (FullyConnected), tensor 6: 1 of 3 differ, by 3 at most");
    expect(stderr).toMatch(/TMC3033: .*operator 0 \(Conv2D\), tensor 3 "conv", element 5 at \[0, 0, 2, 1\]/);
    const json: unknown = JSON.parse((await verify(dumps, "--json", "--tolerance", "1")).stdout);
    expect(json).toMatchObject({
      first: { operator: 2, element: 0 },
      layers: [{ differing: 0, largest: 1 }, {}, { differing: 1, largest: 3 }, {}],
    });
    expect((await verify(dumps, "--tolerance", "3")).exitCode).toBe(ExitCode.ok);
  });
  it("refuses missing, short and strange dumps", async () => {
    const dumps = await dumpsOf("broken");
    rmSync(join(dumps, "op01_tensor4.bin"));
    expect((await verify(dumps)).stderr).toContain("has no dump of op01_tensor4.bin");
    expect((await verify(dumps, "--partial")).stdout).toBe(
      "small: 3 of 3 layers equal\nwithout a dump: op01_tensor4.bin\n",
    );
    writeFileSync(join(dumps, "op01_tensor4.bin"), new Uint8Array(31));
    const short = await verify(dumps);
    expect([short.exitCode, short.stderr]).toEqual([ExitCode.usage, expect.stringContaining("has 31 bytes")]);
    await callTmc(["model", "run", model, "--input", input, "--layers", dumps]);
    writeFileSync(join(dumps, "op01_tensor4.bin"), new Uint8Array(32));
    writeFileSync(join(dumps, "op09_tensor1.bin"), "x");
    expect((await verify(dumps)).stderr).toMatch(/op09_tensor1.bin belongs to no operator of small/);
    mkdirSync(join(folder, "empty"));
    expect((await verify(join(folder, "empty"))).stderr).toContain("has no dumps");
    expect((await verify(join(folder, "absent"))).stderr).toContain("there is no folder");
    expect((await verify(dumps, "--tolerance", "x")).stderr).toContain("TMC0005");
  });
});

describe("tmc model diff", () => {
  const version = (
    name: string,
    edit: (file: ReturnType<typeof smallFile>) => ReturnType<typeof smallFile>,
  ): string => {
    const path = join(folder, `${name}.tflite`);
    writeFileSync(path, buildFile(edit(smallFile())));
    return path;
  };
  it("says that equal models are equal", async () => {
    const { stdout, exitCode } = await callTmc(["model", "diff", model, model]);
    expect(exitCode).toBe(ExitCode.ok);
    expect(stdout).toContain("the models are equal");
    expect(stdout).toMatch(/^MACs +384 +384$/m);
  });
  it("counts changed weights and names changed attributes and scales", async () => {
    const other = version("weights", (file) => ({
      ...file,
      buffers: (file.buffers ?? []).map((data, i) =>
        i === 0 ? data.map((value, k) => (k < 2 ? value + 5 + k : value)) : data,
      ),
      tensors: file.tensors.map((tensor, i) =>
        i === 3 || i === 4 ? { ...tensor, scales: [0.0625] } : tensor,
      ),
      operators: file.operators.map((operator, i) =>
        i === 0 ? { ...operator, options: { ...operator.options, 3: int8(3) } } : operator,
      ),
    }));
    const { stdout, exitCode } = await callTmc(["model", "diff", model, other]);
    expect(exitCode).toBe(ExitCode.failed);
    expect(stdout).toContain('~ operator 0 (Conv2D) "conv"\n    activation: relu → relu6\n');
    expect(stdout).toMatch(
      /output quantisation: scale 0.05\d*, zero point -128 → scale 0.0625, zero point -128/,
    );
    expect(stdout).toContain("weights: 2 of 18 changed, by 0.06 at most (6 steps)");
  });
  it("tells what was added and removed", async () => {
    const longer = version("longer", (file) => ({
      ...file,
      tensors: [...file.tensors, { name: "again", shape: [1, 3], scales: [1 / 256], zeroPoints: [-128n] }],
      operators: [...file.operators, { code: 1, inputs: [7], outputs: [8] }],
      outputs: [8],
    }));
    expect((await callTmc(["model", "diff", model, longer])).stdout).toContain(
      '+ operator 4 (Reshape) "again"',
    );
    const json: unknown = JSON.parse((await callTmc(["model", "diff", longer, model, "--json"])).stdout);
    expect(json).toMatchObject({
      equal: false,
      operators: [{ change: "removed", before: 4, after: null, kind: "Reshape" }],
      before: { operators: 5, macs: 384 },
      after: { operators: 4, macs: 384 },
    });
  });
});

describe("tmc model describe", () => {
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const own = (): string => join(folder, "small.yaml");

  it("makes a descriptor that inspect and --check accept", async () => {
    const made = await callTmc([
      ...["model", "describe", model, "--labels", "a, b, c", "--unit", "g", "--rate", "100", "--out", own()],
    ]);
    expect(made).toEqual({ stdout: `wrote ${own()}\n`, stderr: "", exitCode: ExitCode.ok });
    const text = readFileSync(own(), "utf8");
    expect(text).toMatch(
      /^name: small\nversion: 0.1.0\ntask: classification\nmodel:\n {2}file: small.tflite\n/,
    );
    expect(text).toMatch(/usage: inference\n {2}unit: g\n {2}rate_hz: 100\n/);
    expect((await callTmc(["model", "describe", model, "--check"])).stdout).toBe(`${own()} fits ${model}\n`);
    expect((await callTmc(["model", "inspect", model])).stdout).toContain(`descriptor  ${own()} fits`);
  });
  it("corrects what follows from the model, and keeps what people wrote", async () => {
    write(
      "small.yaml",
      "name: mine\nmetrics:\n  data: a walk\ninput:\n  shape: [1, 2]\n  order: x, y\noutput:\n  labels: [a, b, c]\n",
    );
    const { stdout } = await callTmc(["model", "describe", model]);
    expect(stdout).toContain("name: mine");
    expect(stdout).toContain("order: x, y");
    expect(stdout).toContain("data: a walk");
    expect(stdout).toMatch(/shape:\n {4}- 1\n {4}- 4\n {4}- 4\n {4}- 1\n/);
  });
  it.each([
    ["input:\n  shape: [1, 4, 4, 2]", "input.shape: expected [1, 4, 4, 1], found [1, 4, 4, 2]"],
    ["input:\n  scale: 0.25", "input.scale: expected 0.0199"],
    ["output:\n  zero_point: 0", "output.zero_point: expected -128, found 0"],
    ["output:\n  type: float32", "output.type: expected int8, found float32"],
    ["output:\n  labels: [a, b]", "output.labels: expected 3 labels, found 2 labels"],
    ["model:\n  file: other.tflite", "model.file: expected small.tflite, found other.tflite"],
    ["model:\n  sha256: ff00", "model.sha256: expected "],
    ["model:\n  bytes: 7", "found 7"],
  ])("names field, expected and found: %s", async (yaml, message) => {
    write("small.yaml", yaml);
    for (const args of [
      ["describe", model, "--check"],
      ["inspect", model],
    ]) {
      const { stderr, exitCode } = await callTmc(["model", ...args]);
      expect([exitCode, stderr]).toEqual([ExitCode.failed, expect.stringContaining("TMC2013")]);
      expect(stderr).toContain(message);
      expect(stderr).toContain("fix: if the model is the right one");
    }
  });
  it("refuses wrong keys, labels, rates", async () => {
    write("small.yaml", "input:\n  usage: breakfast");
    expect((await callTmc(["model", "describe", model])).stderr).toMatch(/TMC2006.*input.usage/);
    rmSync(own());
    for (const [option, value, code] of [
      ["--labels", "a,b", "TMC2013"],
      ["--labels", "a,,b", "TMC0005"],
      ["--rate", "fast", "TMC0005"],
      ["--out", join(folder, "no", "x.yaml"), "TMC0005"],
    ] as const) {
      expect((await callTmc(["model", "describe", model, option, value])).stderr, value).toContain(code);
    }
    expect((await callTmc(["model", "describe", model, "--check"])).stderr).toContain(
      "there is no descriptor",
    );
  });
  it("leaves model.yaml to the file that it names", async () => {
    const other = write("other.tflite", "");
    const shared = write("model.yaml", "model:\n  file: other.tflite\n  bytes: 1\n");
    expect((await callTmc(["model", "inspect", model])).exitCode).toBe(ExitCode.ok);
    rmSync(other);
    expect((await callTmc(["model", "inspect", model])).stderr).toContain(
      "model.file: expected small.tflite",
    );
    rmSync(shared);
  });
});
