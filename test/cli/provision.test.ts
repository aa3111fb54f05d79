/** `tmc provision`, `tmc monitor`, `tmc flash`: what they refuse before any device is touched. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

import { callTmc } from "../support/tmc.js";

const folder = mkdtempSync(join(tmpdir(), "tmc-provision-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "text"), "no certificate");

it.each([
  [["provision"], "TMC5108", "nothing to write"],
  [["provision", "--show", "--wipe"], "TMC5108", "stand alone"],
  [["provision", "--show", "--id", "n1"], "TMC5108", "stand alone"],
  [["provision", "--enroll", "--key", join(folder, "text")], "TMC5108", "--enroll makes"],
  [["provision", "--key", join(folder, "text")], "TMC5108", "needs its certificate"],
  [["provision", "--csr", "x", "--enroll"], "TMC5108", "--enroll makes"],
  [["provision", "--csr", "x", "--cert", join(folder, "text")], "TMC5108", "no certificate yet"],
  [["provision", "--alpn", "two words"], "TMC5108", "--alpn"],
  [["provision", "--id", "Pump 1"], "TMC5108", "--id"],
  [["provision", "--server", "http://x"], "TMC5108", "--server"],
  [["provision", "--ca", join(folder, "text")], "TMC5107", "has no certificate"],
  [["provision", "--update-key", join(folder, "text")], "TMC5201", "no public key"],
  [["provision", "--wifi-psk-file", join(folder, "absent")], "TMC5107", "cannot read"],
  [["provision", "--id", "n1", "--port", join(folder, "absent")], "TMC5102", "cannot open"],
  [["monitor", "--port", join(folder, "absent")], "TMC5102", "cannot open"],
  [["flash", "--board", "native_sim"], "TMC5109", "no hardware"],
  [["flash", "--out", folder], "TMC5110", "has no image"],
])("refuses %j", async (args, code, reason) => {
  const { exitCode, stderr } = await callTmc(args);
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain(code);
  expect(stderr).toContain(reason);
});
