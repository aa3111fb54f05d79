import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { packagePath } from "../../board/package-root.js";
import { setupSteps, setupWorkspace } from "./setup.js";

let dir: string;
let path: string | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tmc-setup-"));
  path = process.env["PATH"];
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(dir, { recursive: true, force: true });
});

function program(file: string, script: string): void {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe("setupWorkspace", () => {
  it("keeps what is there and updates with west", async () => {
    program(join(dir, ".venv", "bin", "python3"), "exit 9");
    program(join(dir, ".venv", "bin", "west"), `echo "$@" > ${join(dir, "called")}`);
    mkdirSync(join(dir, ".west"));
    writeFileSync(join(dir, ".west", "config"), "");
    const said: string[] = [];
    await setupWorkspace(dir, (line) => said.push(line));
    expect(readFileSync(join(dir, "called"), "utf8")).toMatch(/^update /);
    expect(said.filter((line) => line.endsWith("there already"))).toHaveLength(3);
    expect(existsSync(join(dir, "zephyr-app", "west.yml"))).toBe(true);
  });

  it("names the step that failed and its fix", async () => {
    program(join(dir, "bin", "python3"), "exit 1");
    process.env["PATH"] = join(dir, "bin");
    await expect(setupWorkspace(dir, () => undefined)).rejects.toMatchObject({
      code: "TMC5020",
      exitCode: 4,
      fix: expect.stringContaining("python3-venv"),
    });
  });

  it("says that python3 is missing", async () => {
    process.env["PATH"] = join(dir, "empty");
    await expect(setupWorkspace(dir, () => undefined)).rejects.toMatchObject({
      code: "TMC5020",
      message: "python3 is not installed",
    });
  });

  it("blames the network when west cannot fetch", async () => {
    program(join(dir, ".venv", "bin", "python3"), "exit 0");
    program(join(dir, ".venv", "bin", "west"), 'test "$1" = init');
    await expect(setupWorkspace(dir, () => undefined)).rejects.toMatchObject({
      code: "TMC5020",
      fix: expect.stringContaining("network"),
    });
  });
});

describe("the manifest", () => {
  it("pins Zephyr and allows only the modules that the boards need", () => {
    const text = readFileSync(packagePath("zephyr-app", "west.yml"), "utf8");
    expect(parse(text)).toMatchObject({
      manifest: {
        projects: [
          {
            name: "zephyr",
            revision: expect.stringMatching(/^v\d+\.\d+\.\d+$/),
            import: {
              "name-allowlist": ["cmsis_6", "hal_st", "hal_stm32", "mbedtls", "mcuboot", "picolibc"],
            },
          },
        ],
      },
    });
  });

  it("is made into a workspace in four steps", () => {
    expect(setupSteps(dir).map((step) => step.args[0])).toEqual(["-m", "-m", "init", "update"]);
  });
});
