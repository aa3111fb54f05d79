/** A run that takes over modules of the run before gives what a first run gives: the same findings, the same C. */
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../board/package-root.js";
import { UserError } from "../diagnostics/user-error.js";
import { runFrontend } from "../frontend/frontend.js";
import type { LibraryImage } from "../frontend/library-image.js";
import { loadProject } from "../frontend/project.js";
import { FrontendCache } from "../frontend/reuse.js";
import { compileProgram } from "./compile.js";

let root = "";
beforeAll(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), "tmc-incremental-")));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

type Sources = Readonly<Record<string, string>>;

/** Everything a user sees: findings, C, the table of sites. */
function result(sources: Sources, cache: FrontendCache): unknown {
  const overlay = new Map(Object.entries(sources).map(([name, text]) => [path.join(root, name), text]));
  try {
    const entry = path.join(root, "app.ts");
    const compiled = compileProgram({ entry, root, checked: true, kind: "image", overlay, cache });
    const { diagnostics } = compiled;
    return compiled.ok ? { diagnostics, c: compiled.compiled.c } : { diagnostics };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { code: error.code, message: error.message };
  }
}

/** After each of the edits: what is left of earlier runs does not show. */
function expectSame(versions: readonly Sources[]): unknown[] {
  const cache = new FrontendCache();
  return versions.map((sources) => {
    const cold = result(sources, new FrontendCache());
    expect(result(sources, cache)).toEqual(cold);
    return cold;
  });
}

/** One of `options`, chosen by the next number. */
type Pick = (...options: readonly string[]) => string;

/** What may stand in each module; every choice is a number. */
const modules: Readonly<Record<string, (pick: Pick) => string>> = {
  "lib.ts": (pick) => `
${pick("", 'import { deep } from "./deep.js";', 'import { nothing } from "./deep.js";')}
export type Level = "low" | "high"${pick("", ' | "off"')};
export interface Point { x: i32; y: ${pick("i32", "u8", "f32")}; }
${pick("export ", "export ", "")}const factor: i32 = ${pick("2", "300", "2.5")};
export function scale(x: i32) { return ${pick("x + factor", "f32(x)", "deep(x)", "x > 1")}; }
export const origin: Point = { x: 1, y: 2 };
export class Base {
  total: i32 = ${pick("0", "7")};
  constructor(readonly size: i32) { ${pick("", "this.reset();", "this.total = size;")} }
  reset(): void { this.total = ${pick("1", "factor", "true")}; }
}
export function first<T>(list: T[]): T { return list[${pick("0", "1")}]${pick("!", "")}; }
`,
  "deep.ts": (pick) => `
${pick("export function deep(x: i32): i32 { return x + 1; }", "export function deep(x: u8): u8 { return x; }", "let deep = 1;", "export const deep = (x: i32): i32 => x;")}
${pick("", 'import { level } from "./mid.js";\nexport const again = level;', "function f(: i32 {")}
`,
  "mid.ts": (pick) => `
import { Base, scale${pick(", type Point", "")} } from "./lib.js";
import type { Level } from "./lib.js";
export class Square extends Base {
  ${pick("", "side: i32 = 3;")}
  ${pick("", "override reset(): void { this.total = scale(2); }", "override reset(n: i32): void {}")}
}
export function grown(n: i32) { return scale(n + ${pick("1", "2")}); }
export { Base, first, origin } from "./lib.js";
export let level: Level = ${pick('"low"', '"off"', '"none"')};
export function pair(n: i32): ${pick("[i32, i32]", "{ a: i32; b: i32 }")} { return ${pick("[n, n]", "{ a: n, b: n }")}; }
export type Found = Square | ${pick("Base", "Other", "null")};
export class Other { constructor(readonly size: i32) {} }
export function find(n: i32): Found { return n > 1 ? new Square(n) : ${pick("new Base(n)", "new Other(n)", "null")}; }
`,
  "app.ts": (pick) => `
import { Base, Square, find, first, grown, level, origin, pair } from "./mid.js";
${pick("", "", "", 'import { factor } from "./lib.js";')}
${pick("", 'import "./deep.js";', 'import { level as other } from "./deep.js";')}
const made = new ${pick("Square(4)", "Base(2)")};
const numbers: i32[] = [${pick("1, 2", "3", "")}];
export function main(): void {
  ${pick("log(made.total);", "log(made.side);", "made.reset(); log(made.size);")}
  log(first(numbers), level${pick("", "", "", ", factor")});
  const g = grown(2);
  log(g, origin.y);
  const p = pair(3);
  ${pick("", "log(p[0]);", "log(p.a + p.b);")}
  const f = find(numbers[0]);
  ${pick("", "if (f instanceof Square) log(f.total);", "if (f !== null) log(f.size);", "log(f.size);")}
  ${pick("", "const x: u8 = numbers[0];", "main();")}
}
`,
};
const names = Object.keys(modules);

function text(name: string, choices: readonly number[]): string {
  let next = 0;
  return (modules[name] ?? (() => ""))((...options) => {
    const choice = choices[next++ % choices.length] ?? 0;
    return options[choice % options.length] ?? "";
  });
}

/** One choice of one module made anew; half of the time to the first option, so that most versions are almost right. */
const edit = fc.record({
  name: fc.constantFrom(...names),
  at: fc.nat(9),
  choice: fc.oneof(fc.constant(0), fc.nat(3)),
  gone: fc.integer({ min: 0, max: 29 }),
});

describe("the library that was lowered before", () => {
  const none = (): undefined => undefined;

  it("gives the same C as one that is lowered with the program", () => {
    const cache = new FrontendCache(none);
    const { project } = runFrontend(packagePath("firmware", "index.ts"), packagePath(), undefined, cache);
    // As it is read from its file.
    const image = deserialize(serialize(cache.image(project))) as LibraryImage;
    const entries = [
      packagePath("firmware", "app.ts"),
      ...readdirSync(packagePath("test", "equality", "programs"))
        .filter((f) => f.endsWith(".ts"))
        .map((f) => packagePath("test", "equality", "programs", f))
        .filter((f) => /from "tmc"/.test(readFileSync(f, "utf8")))
        .slice(0, 3),
    ];
    expect(entries.length).toBeGreaterThan(2);
    for (const entry of entries) {
      for (const root of [packagePath(), path.dirname(path.dirname(packagePath()))]) {
        const [fresh, taken] = [none, () => image].map((i) => {
          const files = new FrontendCache(i);
          const result = compileProgram({ entry, root, checked: false, kind: "image", cache: files });
          if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
          return { ...result.compiled.c, diagnostics: result.diagnostics };
        });
        expect(taken).toEqual(fresh);
      }
    }
  }, 120_000);

  it("is not taken when the library is another one", () => {
    const cache = new FrontendCache(none);
    const { project } = runFrontend(packagePath("firmware", "index.ts"), packagePath(), undefined, cache);
    const image = { ...cache.image(project), digest: "another" };
    const again = new FrontendCache(() => image);
    const entry = packagePath("firmware", "app.ts");
    expect(again.reusable(loadProject(entry, packagePath(), undefined, again.sources)).classes).toEqual([]);
    const own = new FrontendCache(() => cache.image(project));
    const loaded = loadProject(entry, packagePath(), undefined, own.sources);
    expect(own.reusable(loaded).classes.length).toBeGreaterThan(10);
  }, 60_000);
});

describe("an incremental run", () => {
  it("gives what a first run gives, after every one of random edits", () => {
    const seen = { right: 0, wrong: 0 };
    fc.assert(
      fc.property(fc.array(edit, { minLength: 3, maxLength: 10 }), (edits) => {
        const chosen = new Map(names.map((n) => [n, Array.from({ length: 10 }, () => 0)]));
        const version = (gone?: string): Sources =>
          Object.fromEntries([...chosen].filter(([n]) => n !== gone).map(([n, c]) => [n, text(n, c)]));
        const versions = [version()];
        for (const e of edits) {
          const list = chosen.get(e.name);
          if (list !== undefined) list[e.at] = e.choice;
          // Now and then a file is not there.
          versions.push(version(e.gone === 0 && e.name !== "app.ts" ? e.name : undefined));
        }
        for (const r of expectSame(versions)) {
          if (typeof r === "object" && r !== null && "c" in r) seen.right++;
          else seen.wrong++;
        }
      }),
      { numRuns: 40 },
    );
    // Neither all right nor all wrong: else this compares nothing.
    expect(seen.right).toBeGreaterThan(20);
    expect(seen.wrong).toBeGreaterThan(20);
  }, 300_000);
});
