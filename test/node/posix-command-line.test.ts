/** What the posix port refuses on its command line, in its files and in its state directory: the message and the exit code. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runProcess } from "../../compiler/board/processes.js";
import { Child } from "../support/child.js";
import { buildEchoNode, type EchoBuild } from "./echo-node.js";

describe("command line of the posix port", () => {
  let build: EchoBuild;
  let folder: string;

  beforeAll(async () => {
    build = await buildEchoNode("gcc", true);
  });
  afterAll(() => {
    build.remove();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-port-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const common = ["--id", "n1", "--server", "mqtt://127.0.0.1:1"];

  async function run(...args: string[]): Promise<{ code: number; stderr: string; stdout: string }> {
    const result = await runProcess(build.program, args, { timeoutMs: 10_000 });
    return {
      code: result.exitCode,
      stderr: result.stderr.toString("utf8"),
      stdout: result.stdout.toString("utf8"),
    };
  }

  it("prints its help", async () => {
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    expect(stdout).toContain("vibration-imbalance");
  });

  it.each([
    [[], "--id is missing"],
    [["--id", "n1"], "--server is missing"],
    [["--id", "N1", "--server", "mqtt://h"], "--id N1: expected 1-23 characters of 0-9 a-z -"],
    [["--id", "q", "--server", "mqtt://h"], "--id q: expected"],
    [["--id", "", "--server", "mqtt://h"], "--id : expected"],
    [["--id", "x".repeat(24), "--server", "mqtt://h"], "expected 1-23 characters"],
    [["--id", "n1", "--server", "http://h"], "only mqtt://HOST[:PORT] and mqtts://HOST[:PORT] are known"],
    [["--id", "n1", "--server", "mqtts://h"], "--ca is missing"],
    [
      ["--id", "n1", "--server", "mqtts://h", "--ca", "/nonexistent.pem"],
      "--ca /nonexistent.pem: No such file",
    ],
    [["--id", "n1", "--server", "mqtts://h", "--ca", "/dev/null", "--cert", "/dev/null"], "belong together"],
    [[...common, "--ca", "/dev/null"], "are for mqtts://"],
    [[...common, "--update-key", "/nonexistent"], "--update-key /nonexistent: No such file"],
    [[...common, "--password-file", "/nonexistent"], "--password-file /nonexistent: No such file"],
    [[...common, "--password-file", "/dev/null"], "expected 1-256 characters in the first line"],
    [["--id", "n1", "--server", "mqtt://"], "no host name"],
    [["--id", "n1", "--server", "mqtt://u:p@h"], "the port must be 1-65535"],
    [["--id", "n1", "--server", "mqtt://h:0"], "the port must be 1-65535"],
    [["--id", "n1", "--server", "mqtt://h:99999999999"], "the port must be 1-65535"],
    [["--id", "n1", "--server", "mqtt://h:1/x"], "nothing may follow the port"],
    [[...common, "--sensor", "x"], "expected NAME=SOURCE"],
    [[...common, "--sensor", "a=b", "--sensor", "a=c"], "there is already a sensor a"],
    [[...common, "--sensor", "a=magic:1"], "expected csv:FILE or generator:NAME"],
    [[...common, "--sensor", "a=generator:nope"], "unknown; there are vibration-healthy"],
    [[...common, "--sensor", "a=generator:counter,seed=x"], "expected NAME or NAME,seed=N"],
    [[...common, "--sensor", "a=generator:counter,seed=1x"], "the seed must be a whole number"],
    [[...common, "--sensor", "a=csv:/nonexistent.csv"], "No such file"],
    [[...common, "--backoff", "200:100"], "1 <= MIN <= MAX"],
    [[...common, "--keepalive", "1"], "whole number from 5 to 3600"],
    [[...common, "--queue", "1.5"], "whole number from 1 to 32"],
    [[...common, "--exit-after", "soon"], "expected seconds"],
    [[...common, "--log-level", "loud"], "one of error, warning, info, debug"],
    [[...common, "--wrong", "1"], "unknown option --wrong"],
    [[...common, "--id"], "the value is missing"],
    [["stray"], "stray is not an option"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(stderr).toContain(message);
    expect(code).toBe(3);
  });

  it.each([
    ["a.csv:1: expected a header", "1,2\n3,4\n"],
    ["a.csv: no frames", ""],
    ["a.csv: no frames", "x,y\n"],
    ["a.csv:2: expected 2 finite numbers", "x,y\n1\n"],
    ["a.csv:3: expected 2 finite numbers", "x,y\n1,2\n1,two\n"],
    ["a.csv:2: expected 2 finite numbers", "x,y\n1,2,3\n"],
    ["a.csv:2: expected 1 finite numbers", "x\nnan\n"],
    ["a.csv:1: expected a header of 1-8", "a,b,c,d,e,f,g,h,i\n"],
    ["a.csv:2: the line is longer than 1022 bytes", `x\n${"1".repeat(2000)}\n`],
  ])("refuses a CSV file: %s", async (message, content) => {
    const file = join(folder, "a.csv");
    writeFileSync(file, content);
    const { code, stderr } = await run(...common, "--sensor", `a=csv:${file}`);
    expect(stderr).toContain(message);
    expect(code).toBe(3);
  });

  it("refuses a state directory in use, damaged, or impossible", async () => {
    const state = join(folder, "n1");
    const other = await Child.start(build.program, [...common, "--state-dir", state]);
    await other.waitForLine("boot 1");
    expect((await run(...common, "--state-dir", state)).stderr).toContain("in use by another node");
    expect((await other.stop()).code).toBe(0);
    writeFileSync(join(state, "boot"), "many\n");
    const damaged = await run(...common, "--state-dir", state);
    expect(damaged.stderr).toContain("boot is damaged");
    expect(damaged.code).toBe(1);
    expect(readFileSync(join(state, "boot"), "utf8")).toBe("many\n");
    const file = join(folder, "file");
    writeFileSync(file, "");
    const impossible = await run(...common, "--state-dir", join(file, "x"));
    expect(impossible.stderr).toContain("Not a directory");
    expect(impossible.code).toBe(1);
  });

  it("keeps its state in XDG_STATE_HOME unless told otherwise", async () => {
    const child = await Child.start(build.program, [...common, "--exit-after", "0"], {
      env: { XDG_STATE_HOME: folder },
    });
    expect((await child.exited).code).toBe(0);
    expect(existsSync(join(folder, "tmc", "n1", "boot"))).toBe(true);
  });
});
