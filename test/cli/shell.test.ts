/** The command line as a whole: help, wrong arguments, exit codes. What a single command does is tested beside it. */
import { describe, expect, it } from "vitest";
import { allEntries } from "../../compiler/cli/all-catalogues.js";
import { createProgram } from "../../compiler/cli/main.js";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { callTmc, runTmc } from "../support/tmc.js";
import type { Command } from "commander";

/** Paths of all commands below `command`: [["build"], ["model", "run"], …]. */
function commandPaths(command: Command, above: readonly string[] = []): string[][] {
  return command.commands
    .filter((c) => c.name() !== "help")
    .flatMap((c) => [[...above, c.name()], ...commandPaths(c, [...above, c.name()])]);
}

describe("help", () => {
  const paths = commandPaths(createProgram());
  it.each(paths.map((path) => [path.join(" ")]))(
    "tmc %s --help has examples and exit codes",
    async (path) => {
      const { stdout, stderr, exitCode } = await callTmc([...path.split(" "), "--help"]);
      expect(exitCode).toBe(ExitCode.ok);
      expect(stderr).toBe("");
      expect(stdout).toContain(`Usage: tmc ${path}`);
      expect(stdout).toContain("\nExamples:\n  tmc ");
      expect(stdout).toContain("\nExit codes:\n   0  ");
    },
  );
  it("tmc --help lists every command", async () => {
    const { stdout } = await callTmc(["--help"]);
    for (const [name] of paths) {
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    }
  });
  it("tmc --version prints only the version", async () => {
    expect(await runTmc(["--version"])).toEqual({ stdout: "0.1.0\n", stderr: "", exitCode: 0 });
  });
});

describe("wrong command lines end with code 3, a message and a fix", () => {
  it.each([
    [[], "TMC0003", "no command was given"],
    [["model"], "TMC0003", "no command was given"],
    [["biuld"], "TMC0001", "did you mean build?"],
    [["nonsense"], "TMC0001", "see tmc --help"],
    [["doctor", "--jsn"], "TMC0002", "did you mean --json?"],
    [["doctor", "now"], "TMC0004", "see tmc doctor --help"],
    [["explain", "TMC3001", "TMC3002"], "TMC0004", "see tmc explain --help"],
    [["explain", "TMC9999"], "TMC0020", "lists all codes"],
    [["explain", "TMC300"], "TMC0020", "did you mean TMC3001"],
  ])("tmc %j", async (args, code, text) => {
    const { stdout, stderr, exitCode } = await callTmc(args);
    expect(exitCode).toBe(ExitCode.usage);
    expect(stderr).toContain(`error ${code}: `);
    expect(stderr).toContain("\nfix: ");
    expect(stderr).toContain(text);
    expect(stdout).toBe("");
  });
  it("--json puts the error on stdout too", async () => {
    const { stdout, exitCode } = await callTmc(["explain", "TMC9999", "--json"]);
    expect(exitCode).toBe(ExitCode.usage);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "TMC0020" } });
  });
});

describe("tmc explain", () => {
  it("explains one code, in any spelling", async () => {
    for (const spelling of ["TMC0040", "tmc0040", "40"]) {
      const { stdout, exitCode } = await callTmc(["explain", spelling]);
      expect(exitCode).toBe(0);
      expect(stdout).toContain("TMC0040: the folder is not empty");
    }
  });
  it("lists all codes, each once, in order", async () => {
    const { stdout } = await callTmc(["explain"]);
    const codes = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.slice(0, 7));
    expect(codes).toEqual([...new Set(codes)].sort());
    expect(codes).toContain("TMC0001");
    expect(codes).toContain("TMC3001");
  });
  it("has entries with a title and a rule, and right beside wrong", async () => {
    for (const entry of await allEntries()) {
      expect(entry.code).toMatch(/^TMC\d{4}$/);
      expect(entry.title.length, entry.code).toBeGreaterThan(3);
      expect(entry.rule.length, entry.code).toBeGreaterThan(10);
    }
  });
});

describe("tmc doctor", () => {
  it("finds what is installed and names the fix of what is not", async () => {
    const { stdout, exitCode } = await callTmc(["doctor", "--json"]);
    const report = JSON.parse(stdout) as {
      ok: boolean;
      tools: { name: string; need: string; found: string | null; fix: string | null }[];
    };
    expect(exitCode).toBe(report.ok ? ExitCode.ok : ExitCode.missingTool);
    expect(report.tools.find((t) => t.name === "Node.js")?.found).toBe(process.versions.node);
    for (const tool of report.tools) {
      expect(tool.found === null, tool.name).toBe(tool.fix !== null);
    }
  });
});
