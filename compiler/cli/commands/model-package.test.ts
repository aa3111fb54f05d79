/** `tmc model package` as a user calls it, and `tmc model inspect` of what it made. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildFile, smallFile } from "../../../test/models/tflite-file.js";
import { callTmc } from "../../../test/support/tmc.js";
import { ExitCode } from "../../diagnostics/user-error.js";

let folder: string;
let model: string;
let out: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-package-cli-"));
  model = join(folder, "small.tflite");
  out = join(folder, "small.tmcm");
  writeFileSync(model, buildFile(smallFile()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("tmc model package", () => {
  it("writes a package that inspect shows", async () => {
    const made = await callTmc(["model", "package", model, "-o", out]);
    expect(made.exitCode).toBe(ExitCode.ok);
    const shown = await callTmc(["model", "inspect", out]);
    expect(shown.stdout).toBe(made.stdout);
    expect(shown.stdout).toContain("small: model package");
    const { stdout } = await callTmc(["model", "inspect", out, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      name: "small",
      bytes: readFileSync(out).length,
      selfTest: false,
    });
  });

  it("refuses what does not fit the slot", async () => {
    const small = await callTmc(["model", "package", model, "-o", join(folder, "no.tmcm"), "--flash", "100"]);
    expect(small.exitCode).toBe(ExitCode.failed);
    expect(small.stderr).toContain("TMC3062");
    expect(small.stderr).toContain("too large for the flash of the slot");
  });

  it("refuses a damaged package by what is wrong, and an input of another size", async () => {
    const bytes = readFileSync(out);
    bytes[bytes.length - 40] = 1 ^ (bytes[bytes.length - 40] ?? 0);
    writeFileSync(join(folder, "bad.tmcm"), bytes);
    const { stderr, exitCode } = await callTmc(["model", "inspect", join(folder, "bad.tmcm")]);
    expect(exitCode).toBe(ExitCode.failed);
    expect(stderr).toContain("TMC3061");
    expect(stderr).toContain("its digest is not that of its bytes");
    const golden = await callTmc(["model", "package", model, "-o", out, "--golden", model]);
    expect(golden.stderr).toContain("TMC3030");
  });
});
