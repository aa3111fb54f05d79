/** `tmc function …` as a user calls it. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callTmc } from "../../../test/support/tmc.js";
import { ExitCode } from "../../diagnostics/user-error.js";

let folder = "";
const file = (name: string): string => join(folder, name);
const source = (run: string, most = 8): string => `
import { F32Values, NodeFunction, clockMs } from "tmc";
export const scale = new NodeFunction({
  name: "scale",
  version: "1.0.0",
  input: new F32Values([-1], { most: ${most} }),
  output: new F32Values([-1], { most: ${most} }),
  run: (input: Float32Array, output: Float32Array): i32 => {
    ${run}
    return input.length;
  },
});
`;
const double = "for (let i = 0; i < input.length; i++) output[i] = input[i] * 2;";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-function-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("tmc function", () => {
  it("makes keys, builds, shows and runs a function", { timeout: 60_000 }, async () => {
    expect((await callTmc(["function", "keygen", file("owner")])).exitCode).toBe(ExitCode.ok);
    expect(statSync(file("owner.key.pem")).mode & 0o777).toBe(0o600);
    const again = await callTmc(["function", "keygen", file("owner")]);
    expect(again).toMatchObject({ exitCode: ExitCode.usage });
    expect(again.stderr).toContain("TMC6305");

    writeFileSync(file("scale.ts"), source(`log("len", input.length); ${double} assert(input[0] < 100);`));
    const args = ["function", "build", file("scale.ts"), "-o", file("scale.tmcf"), "--release", "1.1.0"];
    const built = await callTmc([...args, "--sign", file("owner.key.pem"), "--time", "500000"]);
    expect(built.stderr).toBe("");
    const shown = await callTmc(["function", "inspect", file("scale.tmcf")]);
    expect(shown.stdout).toBe(built.stdout);
    expect(shown.stdout).toMatch(
      /^function: scale@1\.1\.0 \(wasm, ABI 1\)\ninput: {4}f32 \[-1\], at most 8 rows\n/,
    );
    expect(shown.stdout).toMatch(
      /time: 500000 us\nimports: {2}log, trap\n.*\n.*\nsigned: {3}by key [0-9a-f]{16}\n$/s,
    );

    const ran = await callTmc(["function", "run", file("scale.tmcf"), "--values", "1,2.5"]);
    expect(ran).toMatchObject({ stdout: "2 5\n", stderr: "len 2\n", exitCode: ExitCode.ok });
    const trapped = await callTmc(["function", "run", file("scale.tmcf"), "--values", "100"]);
    expect(trapped.exitCode).toBe(ExitCode.trap);
    expect(trapped.stderr).toMatch(
      /error TMC6308: scale@1\.1\.0: function-failed: assert at .*scale\.ts:9:\d+/,
    );
    const nine = await callTmc(["function", "run", file("scale.tmcf"), "--values", "1,2,3,4,5,6,7,8,9"]);
    expect(nine).toMatchObject({ exitCode: ExitCode.usage });
    expect(nine.stderr).toContain("TMC6307");
    const none = await callTmc(["function", "run", file("scale.tmcf")]);
    expect(none.stderr).toContain("TMC6307");

    const bytes = readFileSync(file("scale.tmcf"));
    const at = bytes.length - 200;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file("bad.tmcf"), bytes);
    const bad = await callTmc(["function", "inspect", file("bad.tmcf")]);
    expect(bad).toMatchObject({ exitCode: ExitCode.failed });
    expect(bad.stderr).toContain("TMC6306");
  });

  it.each([
    ["no function", "TMC6301", "export function main(): void {}\n"],
    ["a function that reads the clock", "TMC6302", source("output[0] = f32(clockMs());")],
    ["more data than a bundle may have", "TMC6303", source(double, 300_000)],
    ["an error of the language", "TMC1202", source("if (input.length) output[0] = 1;")],
  ])("refuses %s", { timeout: 60_000 }, async (_, code, text) => {
    writeFileSync(file("wrong.ts"), text);
    const { stderr, exitCode } = await callTmc([
      "function",
      "build",
      file("wrong.ts"),
      "-o",
      file("wrong.tmcf"),
    ]);
    expect(stderr).toContain(code);
    expect(exitCode).toBe(ExitCode.failed);
  });

  it("takes a trusted module as it is", async () => {
    const data = "{ elementType: 1, shape: [-1], bytes: 64 }";
    const definition = `export const definition = { name: "plus", version: "1", input: ${data}, output: ${data} };`;
    writeFileSync(
      file("plus.ts"),
      `${definition}\nexport const run = (b: Uint8Array): Uint8Array => b.map((x) => x + 1);`,
    );
    const build = ["function", "build", "--trusted", file("plus.ts"), "-o", file("plus.tmcf")];
    const made = await callTmc(build);
    expect(made.stdout).toContain("function: plus@1 (worker, ABI 1)\ninput:    u8 [-1], at most 64 rows\n");
    const ran = await callTmc(["function", "run", file("plus.tmcf"), "--values", "1"]);
    expect(ran.stderr).toContain("TMC6308");
    writeFileSync(file("plus.ts"), definition);
    const wrong = await callTmc(build);
    expect(wrong).toMatchObject({ exitCode: ExitCode.failed });
    expect(wrong.stderr).toContain("TMC6309");
  });

  it("refuses a key that cannot sign, before it compiles", async () => {
    writeFileSync(file("no.pem"), "no key");
    const args = ["function", "build", file("wrong.ts"), "-o", file("wrong.tmcf"), "--sign", file("no.pem")];
    expect(await callTmc(args)).toMatchObject({ exitCode: ExitCode.usage });
  });

  it("builds, shows and runs an image for a microcontroller", { timeout: 60_000 }, async () => {
    writeFileSync(file("image.ts"), source(`log("len", input.length); ${double} assert(input[0] < 100);`));
    const args = [
      "function",
      "build",
      file("image.ts"),
      "--board",
      "qemu_cortex_m4",
      "-o",
      file("image.tmci"),
    ];
    const built = await callTmc([...args, "--time", "5000"]);
    expect(built.stderr).toBe("");
    expect((await callTmc(["function", "inspect", file("image.tmci")])).stdout).toBe(built.stdout);
    expect(built.stdout).toMatch(
      /^function: {2}scale@1\.0\.0 \(cortex-m4f, ABI 1\)\n.*bounds: .*, time 5000 us\nimports: {3}log\nself-test: 32 B in, 32 B out\n/s,
    );
    const run = ["function", "run", file("image.tmci"), "--values"];
    expect(await callTmc([...run, "1,2.5"])).toMatchObject({
      stdout: "2 5\n",
      stderr: "len 2\n",
      exitCode: 0,
    });
    const trapped = await callTmc([...run, "100"]);
    expect(trapped.exitCode).toBe(ExitCode.trap);
    expect(trapped.stderr).toMatch(/error TMC6308: scale@1\.0\.0: function-failed: assert at site \d+\n/);

    writeFileSync(file("cut.tmci"), readFileSync(file("image.tmci")).subarray(0, 200));
    const cut = await callTmc(["function", "inspect", file("cut.tmci")]);
    expect(cut).toMatchObject({ exitCode: ExitCode.failed });
    expect(cut.stderr).toMatch(/error TMC6306: .*cut\.tmci is no whole function image: it has 200 bytes/);
    for (const wrong of [
      [...args, "--stack", "100"],
      ["function", "build", file("image.ts"), "--golden", file("image.ts"), "-o", file("x")],
    ]) {
      expect(await callTmc(wrong)).toMatchObject({ exitCode: ExitCode.usage });
    }
    const host = await callTmc([...args.slice(0, 3), "--board", "native_sim", "-o", file("x")]);
    expect(host.stderr).toContain("error TMC6310: board native_sim runs no function images");
  });
});
