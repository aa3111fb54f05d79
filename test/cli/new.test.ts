/** `tmc new`: the project that it writes checks, tests and builds without a change. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath, packageRoot } from "../../compiler/board/package-root.js";
import { runProcess } from "../../compiler/board/processes.js";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { runTmc } from "../support/tmc.js";

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "tmc-new-")));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("tmc new", () => {
  it("refuses a folder that is not empty, and names that are none for a node", async () => {
    mkdirSync(join(folder, "full"));
    writeFileSync(join(folder, "full", "notes.txt"), "mine");
    const full = await runTmc(["new", "full"], { cwd: folder });
    expect(full.exitCode).toBe(ExitCode.usage);
    expect(full.stderr).toContain("error TMC0040: full exists and is not empty");
    expect(readFileSync(join(folder, "full", "notes.txt"), "utf8")).toBe("mine");
    for (const name of ["My_Node", "2go", "a".repeat(24)]) {
      const result = await runTmc(["new", name], { cwd: folder });
      expect(result.exitCode, name).toBe(ExitCode.usage);
      expect(result.stderr).toContain("error TMC0041: ");
      expect(existsSync(join(folder, name))).toBe(false);
    }
  });

  it("needs a folder's name", async () => {
    const result = await runTmc(["new"]);
    expect(result.exitCode).toBe(ExitCode.usage);
    expect(result.stderr).toContain("error TMC0003: missing required argument 'dir'");
  });

  describe("a new project", () => {
    let project = "";
    beforeAll(async () => {
      const result = await runTmc(["new", "my-node"], { cwd: folder });
      expect(result.stderr).toBe("");
      expect(result.exitCode).toBe(0);
      project = join(folder, "my-node");
      // What `npm install` would do, without a network: this tree as "tmc", its vitest as "vitest".
      mkdirSync(join(project, "node_modules"));
      symlinkSync(packageRoot(), join(project, "node_modules", "tmc"));
      symlinkSync(packagePath("node_modules", "vitest"), join(project, "node_modules", "vitest"));
    });

    it("depends on this tmc by path and on the tested vitest", () => {
      const content = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as {
        name: string;
        devDependencies: Record<string, string>;
      };
      expect(content.name).toBe("my-node");
      const path = content.devDependencies["tmc"] ?? "";
      expect(path).toMatch(/^file:/);
      expect(realpathSync(join(project, path.slice("file:".length)))).toBe(realpathSync(packageRoot()));
      expect(content.devDependencies["vitest"]).toMatch(/^\d+\.\d+\.\d+$/);
    });

    it("checks without a diagnostic", async () => {
      expect(await runTmc(["check", "src/app.ts"], { cwd: project })).toEqual({
        stdout: "",
        stderr: "",
        exitCode: 0,
      });
    });

    it("has the types that an editor needs", async () => {
      const tsc = packagePath("node_modules", "typescript", "bin", "tsc");
      const result = await runProcess(process.execPath, [tsc, "-p", project], { cwd: project });
      expect(result.stdout.toString("utf8")).toBe("");
      expect(result.exitCode).toBe(0);
    });

    it("passes its own unit tests", async () => {
      const vitest = packagePath("node_modules", "vitest", "vitest.mjs");
      const result = await runProcess(process.execPath, [vitest, "run"], {
        cwd: project,
        env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
        timeoutMs: 100_000,
      });
      expect(result.stdout.toString("utf8") + result.stderr.toString("utf8")).toMatch(/Tests.* 2 passed/);
      expect(result.exitCode).toBe(0);
    });

    it("builds for host and prints the memory report", async () => {
      const result = await runTmc(["build", "--board", "host"], { cwd: project });
      expect(result.stderr).toBe("");
      expect(result.exitCode).toBe(0);
      expect(result.stdout).toContain("Memory of host, from the linked image");
      expect(existsSync(join(project, "build", "host"))).toBe(true);
    });
  });
});
