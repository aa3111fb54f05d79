/** The language-service plugin in a real tsserver: what an editor shows for modules of the subset. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { TsServer } from "./tsserver.js";

const app = `import { half } from "./lib.js";
/** @binding board_led */
declare function led(on: boolean): void;
const seen: i32[] = [1, 2];
entry("step", (x: i32): void => {
  const y: i32 = half(x);
  led(y > seen[0]);
});
`;
const lib = "export function half(x: i32): i32 {\n  return x / 2;\n}\n";

let folder = "";
let server: TsServer | undefined;

/** A project with the plugin `name`; `node_modules/tmc` is this package. */
function project(name: string, plugin: string): string {
  const dir = join(folder, name);
  mkdirSync(join(dir, "src"), { recursive: true });
  mkdirSync(join(dir, "node_modules"), { recursive: true });
  symlinkSync(packagePath(), join(dir, "node_modules", "tmc"));
  const options = {
    ...{ target: "ES2022", module: "ESNext", moduleResolution: "Bundler", noLib: true, types: [] },
    ...{ strict: true, noEmit: true, paths: { tmc: ["./node_modules/tmc/firmware/index.ts"] } },
    plugins: [{ name: plugin }],
  };
  writeFileSync(
    join(dir, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: options,
      files: ["node_modules/tmc/firmware/core.d.ts"],
      include: ["src/**/*.ts"],
    }),
  );
  writeFileSync(join(dir, "tmc.json"), '{ "app": "src/app.ts" }\n');
  writeFileSync(join(dir, "src", "app.ts"), app);
  writeFileSync(join(dir, "src", "lib.ts"), lib);
  writeFileSync(join(dir, "src", "other.ts"), "export function f(x: i32): boolean {\n  return x == 2;\n}\n");
  writeFileSync(join(dir, "src", "lib.test.ts"), "export const wrong = 1 == 1;\n");
  return dir;
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-editor-")));
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const open = (file: string): void => server?.notify("open", { file });

describe("the plugin in tsserver", () => {
  let dir = "";
  const at = (name: string): string => join(dir, "src", name);

  /** From the sources: a package beside the project loads the TypeScript of the plugin. */
  function start(name: string): void {
    dir = project(name, "tmc-from-source");
    const own = join(dir, "node_modules", "tmc-from-source");
    mkdirSync(own);
    writeFileSync(join(own, "package.json"), '{ "main": "index.cjs" }');
    const source = (file: string): string =>
      JSON.stringify(packagePath("compiler", "language-service", file));
    writeFileSync(
      join(own, "index.cjs"),
      `const { pathToFileURL } = require("node:url");
module.exports = (m) => require(${source("plugin.ts")}).init(m, pathToFileURL(__dirname + "/worker.mjs"));
`,
    );
    // A thread needs a loader of its own.
    writeFileSync(
      join(own, "worker.mjs"),
      `import { register } from ${JSON.stringify(import.meta.resolve("tsx/esm/api"))};
register();
await import(${source("worker.ts")});
`,
    );
    server = new TsServer(["--import", import.meta.resolve("tsx")], ["--pluginProbeLocations", dir], dir);
  }

  /** The findings of tmc, as soon as there are `wanted`: late ones are asked for again, as editors do. */
  async function findings(file: string, wanted: number): Promise<object[]> {
    for (let i = 0; ; i++) {
      const list = (await server?.semantic(file)) ?? [];
      const found = list.filter((d) => d.source === "tmc");
      if (found.length === wanted || i === 40) {
        return found.map((d) => ({ ...d.start, code: d.code, text: d.text, category: d.category }));
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  it("shows the findings of tmc check at their places, as part of the app", async () => {
    start("places");
    open(at("lib.ts"));
    expect(await findings(at("lib.ts"), 1)).toEqual([
      {
        line: 2,
        offset: 10,
        code: 1211,
        category: "error",
        text: expect.stringMatching(/^TMC1211: .*\nfix: write `Math\.trunc\(a \/ b\)`/) as unknown,
      },
    ]);
  });

  it("offers fixes as code actions, and leaves TypeScript's own alone", async () => {
    start("fixes");
    open(at("lib.ts"));
    expect(await findings(at("lib.ts"), 1)).toHaveLength(1);
    const range = { startLine: 2, startOffset: 10, endLine: 2, endOffset: 15 };
    const request = { file: at("lib.ts"), ...range, errorCodes: [1211] };
    const span = { start: { line: 2, offset: 10 }, end: { line: 2, offset: 15 } };
    expect(await server?.request("getCodeFixes", request)).toMatchObject([
      {
        fixName: "TMC1211",
        description: "tmc: write `Math.trunc(a / b)`",
        changes: [{ fileName: at("lib.ts"), textChanges: [{ ...span, newText: "Math.trunc(x / 2)" }] }],
      },
    ]);
    expect(await server?.request("getCodeFixes", { ...request, errorCodes: [1216] })).toEqual([]);
    expect(await server?.request("getSupportedCodeFixes", { file: at("lib.ts") })).toEqual(
      expect.arrayContaining(["1211", "1216", "2552"]),
    );
  });

  it("follows what is typed before it is saved, over modules", async () => {
    start("typing");
    open(at("lib.ts"));
    open(at("app.ts"));
    expect(await findings(at("lib.ts"), 1)).toHaveLength(1);
    // `x / 2` becomes `(x / 2) | 0`
    const half = { file: at("lib.ts"), line: 2, offset: 10, endLine: 2, endOffset: 15 };
    server?.notify("change", { ...half, insertString: "(x / 2) | 0" });
    expect(await findings(at("lib.ts"), 0)).toEqual([]);
    // A rule of the run phase: the whole program decides.
    const line = { file: at("app.ts"), line: 6, offset: 1, endLine: 6, endOffset: 1 };
    server?.notify("change", { ...line, insertString: "  seen[x] = new Float32Array(x).length;\n" });
    expect(await findings(at("app.ts"), 1)).toMatchObject([
      { line: 6, text: expect.stringMatching(/^TMC\d{4}: /) as unknown },
    ]);
  });

  it("checks a module that the app does not import as an entry, and leaves unit tests alone", async () => {
    start("other");
    open(at("other.ts"));
    open(at("lib.test.ts"));
    expect(await findings(at("other.ts"), 1)).toMatchObject([{ line: 2, offset: 12, code: 1216 }]);
    expect(await findings(at("lib.test.ts"), 0)).toEqual([]);
  });

  const built = packagePath("dist", "compiler", "language-service", "worker.js");
  const missing = existsSync(built) ? "" : " (skipped: dist/ is not built)";
  it.skipIf(missing !== "")(`is loaded from the package as tmc/language-service${missing}`, async () => {
    dir = project("built", "tmc/language-service");
    server = new TsServer([], ["--pluginProbeLocations", dir], dir);
    open(at("lib.ts"));
    expect(await findings(at("lib.ts"), 1)).toMatchObject([{ line: 2, offset: 10, code: 1211 }]);
  });
});
