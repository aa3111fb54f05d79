/** `tmc check --format` and `--watch` as a user sees them. The formats themselves are tested in compiler/diagnostics. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { Child } from "../support/child.js";
import { callTmc, type TmcResult } from "../support/tmc.js";

let folder = "";
const write = (name: string, text: string): void => {
  // As many editors save: the file is replaced, not changed.
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
};
const good = 'import { twice } from "./lib.js";\nexport function main(): void {\n  log(twice(2));\n}\n';
const goodLib = "export function twice(x: i32): i32 {\n  return x * 2;\n}\n";
const badLib = goodLib.replace("* 2", "/ 2");

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-check-")));
  write("bad.ts", "export function main(): void {\n  const x = 5;\n  const n: i32 = x;\n  log(n / 2);\n}\n");
  write("good.ts", good);
  write("lib.ts", goodLib);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const call = (...args: string[]): Promise<TmcResult> => callTmc(args, folder);

describe("tmc check --format", () => {
  it("github: one workflow command a finding", async () => {
    const { stdout, exitCode } = await call("check", "--format", "github", "bad.ts");
    expect(exitCode).toBe(ExitCode.failed);
    expect(stdout).toMatch(/^::error file=bad\.ts,line=4,col=7,endColumn=12,title=TMC1211::.*%0Afix: .*\n$/);
  });
  it("sarif: one document whose rules are explained", async () => {
    const { stdout, exitCode } = await call("check", "--format", "sarif", "bad.ts");
    expect(exitCode).toBe(ExitCode.failed);
    const log = JSON.parse(stdout) as {
      runs: {
        tool: { driver: { rules: { id: string; help: { text: string } }[] } };
        results: { ruleId: string; locations: { physicalLocation: unknown }[] }[];
      }[];
    };
    const [run] = log.runs;
    expect(run?.results.map((r) => r.ruleId)).toEqual(["TMC1211"]);
    expect(run?.results[0]?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: "bad.ts", uriBaseId: "%SRCROOT%" },
      region: { startLine: 4, startColumn: 7, endColumn: 12 },
    });
    expect(run?.tool.driver.rules[0]?.help.text.length).toBeGreaterThan(20);
  });
  it("json is what --json prints", async () => {
    const { stdout } = await call("check", "--format", "json", "bad.ts");
    expect(stdout).toBe((await call("check", "--json", "bad.ts")).stdout);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, diagnostics: [{ code: "TMC1211", line: 4 }] });
  });
  it("a file without mistakes: exit code 0 in all of them", async () => {
    for (const format of ["text", "json", "sarif", "github"]) {
      const { stdout, exitCode } = await call("check", "--format", format, "good.ts");
      expect(exitCode, format).toBe(0);
      if (format === "text" || format === "github") expect(stdout).toBe("");
    }
  });
  it.each([
    [["check", "--format", "xml", "good.ts"], "TMC0005"],
    [["check", "--watch", "--format", "sarif", "good.ts"], "TMC0005"],
    [["check", "--watch", "gone.ts"], "TMC0010"],
  ])("refuses tmc %j", async (args, code) => {
    const { stderr, exitCode } = await call(...args);
    expect(exitCode).toBe(ExitCode.usage);
    expect(stderr).toContain(`error ${code}: `);
  });
});

describe("tmc check --fix", () => {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const unusual = "\uFEFFexport function f(x: i32): i32 {\r\n  return x == 2 ? x / 2 / 3 : 0;\r\n}\r\n";
  const main = `import { f } from "./unusual.js";
export function main(): void {
  var n = f(4);
  if (!n) console.log("none");
  const half: f32 = n / 2;
  log(half);
}
`;
  it("mends what has one meaning, in all files, once, and reports the rest", async () => {
    write("unusual.ts", unusual);
    write("fixes.ts", main);
    const first = await call("check", "--fix", "fixes.ts");
    expect(first.exitCode).toBe(ExitCode.failed);
    expect(first.stdout).toMatch(
      /^fixes\.ts:5:21 - error TMC1211: [^]*\n1 error\nfixed 6 errors in 2 files\n$/,
    );
    expect(read("unusual.ts")).toBe(
      unusual.replace("==", "===").replace("x / 2 / 3", "Math.trunc(Math.trunc(x / 2) / 3)"),
    );
    expect(read("fixes.ts")).toBe(
      main.replace("var", "let").replace("!n", "n === 0").replace("console.log", "log"),
    );
    const second = await call("check", "--fix", "--json", "fixes.ts");
    expect(JSON.parse(second.stdout)).toMatchObject({
      ok: false,
      diagnostics: [{ code: "TMC1211", fixes: [{ automatic: false }] }],
      fixed: [],
    });
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });
  it("writes nothing when a file cannot be written", async () => {
    mkdirSync(join(folder, "locked"));
    write("locked/lib.ts", badLib);
    write("locked/app.ts", good.replace("twice(2)", "twice(5 / twice(1))"));
    // The name of the temporary file is taken by a folder.
    mkdirSync(join(folder, "locked", `.lib.ts.${process.pid}`));
    const before = [read("locked/app.ts"), read("locked/lib.ts")];
    const { stderr, exitCode } = await call("check", "--fix", "locked/app.ts");
    expect(exitCode).toBe(ExitCode.usage);
    expect(stderr).toContain("error TMC0014: cannot write the fixes");
    expect([read("locked/app.ts"), read("locked/lib.ts")]).toEqual(before);
  });
  it("keeps a document on stdout, and does not go with --watch", async () => {
    write("sarif.ts", "export function main(): void {\n  let x = 1;\n  x++;\n  log(x == 2);\n}\n");
    const { stdout, stderr, exitCode } = await call("check", "--fix", "--format", "sarif", "sarif.ts");
    expect(JSON.parse(stdout)).toMatchObject({ runs: [{ results: [] }] });
    expect(stderr).toBe("fixed 1 error in 1 file\n");
    expect(exitCode).toBe(0);
    expect((await call("check", "--fix", "--watch", "sarif.ts")).stderr).toContain("error TMC0005: ");
  });
});

describe("tmc check --watch", () => {
  const start = (...args: string[]): Promise<Child> =>
    Child.start(
      process.execPath,
      [
        ...["--import", import.meta.resolve("tsx"), packagePath("test", "support", "tmc-from-source.ts")],
        ...["check", "--watch", ...args],
      ],
      { cwd: folder, name: "tmc check --watch" },
    );
  it("answers every change of what the file imports, survives a missing file, ends on SIGINT with 0", async () => {
    const child = await start("good.ts");
    try {
      await child.waitForLine(/^watching: 0 errors \(\d+ ms\)$/, 60_000);
      let from = child.lines.length;
      write("lib.ts", badLib);
      expect(await child.waitForLine(/ - error /, 60_000, from)).toMatch(/^lib\.ts:2:10 - error TMC1211: /);
      await child.waitForLine(/^watching: 1 error \(/, 60_000, from);
      from = child.lines.length;
      write("lib.ts", goodLib);
      await child.waitForLine(/^watching: 0 errors \(/, 60_000, from);
      from = child.lines.length;
      renameSync(join(folder, "good.ts"), join(folder, "away.ts"));
      await child.waitForLine(/^error TMC0010: /, 60_000, from);
      await child.waitForLine(/^watching: stopped \(/, 60_000, from);
      from = child.lines.length;
      renameSync(join(folder, "away.ts"), join(folder, "good.ts"));
      await child.waitForLine(/^watching: 0 errors \(/, 60_000, from);
    } finally {
      expect(await child.stop("SIGINT")).toEqual({ code: 0, signal: undefined });
    }
    expect(child.text("stderr")).toBe("");
  });
  it("--json: one document a line", async () => {
    const child = await start("--json", "bad.ts");
    try {
      const line = await child.waitForLine("{", 60_000);
      expect(JSON.parse(line)).toMatchObject({
        ok: false,
        problems: [],
        diagnostics: [{ code: "TMC1211", file: "bad.ts", line: 4 }],
      });
    } finally {
      await child.stop("SIGINT");
    }
  });
});
