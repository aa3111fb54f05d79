import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultWorkspaceDir, findWorkspace, parseVersion, requireWorkspace } from "./workspace.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-zephyr-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A folder that looks like a workspace; `python` is a shell script that stands for its Python. */
function fakeWorkspace(version: readonly [number, number, number], python = "exit 0"): string {
  const top = join(folder, "ws");
  mkdirSync(join(top, "zephyr", "share", "zephyr-package"), { recursive: true });
  const [major, minor, patch] = version;
  writeFileSync(
    join(top, "zephyr", "VERSION"),
    `VERSION_MAJOR = ${major}\nVERSION_MINOR = ${minor}\nPATCHLEVEL = ${patch}\nVERSION_TWEAK = 0\n`,
  );
  mkdirSync(join(top, ".venv", "bin"), { recursive: true });
  writeFileSync(join(top, ".venv", "bin", "python3"), `#!/bin/sh\n${python}\n`, { mode: 0o755 });
  for (const module of ["modules/hal/cmsis_6", "modules/lib/picolibc"]) {
    mkdirSync(join(top, module, "zephyr"), { recursive: true });
    writeFileSync(join(top, module, "zephyr", "module.yml"), "");
  }
  mkdirSync(join(top, "modules", "hal", "no-module"));
  return top;
}

const noWorkspace = (): NodeJS.ProcessEnv => ({ XDG_DATA_HOME: join(folder, "data") });

describe("findWorkspace", () => {
  it("takes the workspace and the tree in it for --zephyr", async () => {
    const top = fakeWorkspace([4, 2, 0]);
    for (const dir of [top, join(top, "zephyr")]) {
      const result = await findWorkspace({ dir, env: noWorkspace() });
      expect(result).toEqual({
        kind: "found",
        workspace: {
          top,
          base: join(top, "zephyr"),
          version: "4.2.0",
          modules: [join(top, "modules/hal/cmsis_6"), join(top, "modules/lib/picolibc")],
          python: join(top, ".venv/bin/python3"),
          source: "--zephyr",
        },
      });
    }
  });

  it.each([
    [3, 7, 0],
    [3, 7, 1],
    [4, 0, 0],
    [4, 2, 0],
  ] as const)("takes Zephyr %i.%i.%i", async (...version) => {
    const result = await findWorkspace({ dir: fakeWorkspace(version), env: noWorkspace() });
    expect(result).toMatchObject({ kind: "found", workspace: { version: version.join(".") } });
  });

  it("takes ZEPHYR_BASE, then the workspace of tmc setup", async () => {
    const top = fakeWorkspace([4, 1, 99]);
    const named = await findWorkspace({ cwd: folder, env: { ZEPHYR_BASE: join(top, "zephyr") } });
    expect(named).toMatchObject({ kind: "found", workspace: { source: "ZEPHYR_BASE" } });

    const env = noWorkspace();
    const own = defaultWorkspaceDir(env);
    mkdirSync(join(own, "zephyr", "share", "zephyr-package"), { recursive: true });
    writeFileSync(join(own, "zephyr", "VERSION"), "VERSION_MAJOR = 4\nVERSION_MINOR = 3\nPATCHLEVEL = 0\n");
    mkdirSync(join(own, ".venv", "bin"), { recursive: true });
    writeFileSync(join(own, ".venv", "bin", "python3"), "#!/bin/sh\n", { mode: 0o755 });
    const made = await findWorkspace({ cwd: folder, env });
    expect(made).toMatchObject({ kind: "found", workspace: { source: "tmc setup", version: "4.3.0" } });
  });

  it("says in one line what is missing and how to get it", async () => {
    const result = await findWorkspace({ cwd: folder, env: noWorkspace() });
    expect(result).toMatchObject({ kind: "missing" });
    if (result.kind === "missing") {
      expect(result.missing.message).not.toContain("\n");
      expect(result.missing.fix).toContain("tmc setup");
    }
    await expect(requireWorkspace({ cwd: folder, env: noWorkspace() })).rejects.toMatchObject({
      code: "TMC5001",
      exitCode: 5,
    });
  });

  it("names the Python packages that are missing", async () => {
    const top = fakeWorkspace([4, 2, 0], "echo pykwalify");
    // The machine's own Python may have them all: then it is the one to use.
    const result = await findWorkspace({ dir: top, env: noWorkspace() });
    if (result.kind === "missing") {
      expect(result.missing.message).toMatch(/no Python here has .*pykwalify/);
      expect(result.missing.fix).toContain("pip install");
    } else {
      expect(result.workspace.python).not.toBe(join(top, ".venv/bin/python3"));
    }
  });

  it.each([
    ["older than the app", [3, 6, 99]],
    ["of another major version", [2, 7, 6]],
    ["of the future", [5, 0, 0]],
  ] as const)("refuses a Zephyr that is %s", async (_, version) => {
    await expect(findWorkspace({ dir: fakeWorkspace(version) })).rejects.toMatchObject({
      code: "TMC5003",
      exitCode: 3,
    });
  });

  it("refuses a --zephyr that is no workspace", async () => {
    await expect(findWorkspace({ dir: folder })).rejects.toMatchObject({ code: "TMC5002", exitCode: 3 });
    await expect(findWorkspace({ dir: join(folder, "absent") })).rejects.toMatchObject({ code: "TMC5002" });
  });
});

describe("parseVersion", () => {
  it("reads the file VERSION", () => {
    expect(parseVersion("VERSION_MAJOR = 4\nVERSION_MINOR=2\nPATCHLEVEL = 99\n")).toEqual([4, 2, 99]);
    expect(parseVersion("")).toEqual([0, 0, 0]);
  });
});
