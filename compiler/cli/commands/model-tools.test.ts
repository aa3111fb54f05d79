/** `tmc model ops` and its kin as a user calls them: the tools that look at models without running them. */
import { describe, expect, it } from "vitest";
import { callTmc } from "../../../test/support/tmc.js";
import { ExitCode } from "../../diagnostics/user-error.js";

describe("tmc model ops", () => {
  it("prints operators, limits and layers of other formats", async () => {
    const { stdout, exitCode } = await callTmc(["model", "ops"]);
    expect(exitCode).toBe(ExitCode.ok);
    expect(stdout).toMatch(/^CONV_2D \(versions 1 to \d+\)\n {2}shapes +\[1, H, W, C\]/m);
    expect(stdout).toContain("every model:\n");
    expect(stdout).toMatch(/TensorFlow.js layers model.*:\n +Activation, Add,/);
  });
  it("prints one operator, and the same for programs", async () => {
    const { stdout } = await callTmc(["model", "ops", "softmax"]);
    expect(stdout).toContain("SOFTMAX");
    expect(stdout).not.toContain("CONV_2D");
    const json: unknown = JSON.parse((await callTmc(["model", "ops", "SOFTMAX", "--json"])).stdout);
    expect(json).toMatchObject({ name: "SOFTMAX", attributes: { beta: "a positive finite number" } });
    const all: unknown = JSON.parse((await callTmc(["model", "ops", "--json"])).stdout);
    expect(all).toMatchObject({
      operators: expect.arrayContaining([expect.objectContaining({ name: "ADD" })]),
    });
  });
  it("refuses an operator that is not supported", async () => {
    const { stderr, exitCode } = await callTmc(["model", "ops", "CONV_2"]);
    expect(exitCode).toBe(ExitCode.usage);
    expect(stderr).toContain("CONV_2 is not a supported operator");
    expect(stderr).toContain("Did you mean CONV_2D?");
  });
});
