import { describe, expect, it } from "vitest";
import { buildFailure, firstComplaint } from "./build-failure.js";

describe("firstComplaint", () => {
  it.each([
    [
      "a compiler error",
      "[3/9] Building\n\x1b[1mapp.c:3:5: \x1b[31merror: expected ';'\x1b[0m\nninja: build stopped",
      "app.c:3:5: error: expected ';'",
    ],
    [
      "Kconfig, whose reason is a warning",
      "Parsing\nboards/x.conf:6: warning: attempt to assign the value 'y' to the undefined symbol FOO\n\nerror: Aborting due to Kconfig warnings\nCMake Error at a.cmake:3 (message):\n  command failed\n",
      "boards/x.conf:6: warning: attempt to assign the value 'y' to the undefined symbol FOO",
    ],
    [
      "CMake with its reason",
      "-- x\nCMake Error at a.cmake:3 (message):\n  no such board\n",
      "CMake Error at a.cmake:3 (message): no such board",
    ],
    [
      "the linker",
      "ld: a.o: undefined reference to `tmc_app_start'\n",
      "ld: a.o: undefined reference to `tmc_app_start'",
    ],
    ["anything else", "one\ntwo\n\n", "two"],
    ["silence", "", "no output"],
  ])("finds %s", (_, output, expected) => {
    expect(firstComplaint(output)).toBe(expected);
  });
});

describe("buildFailure", () => {
  it("says how much too large an image is", () => {
    const output = "ld: region `RAM' overflowed by 1234 bytes\ncollect2: error: ld returned 1 exit status\n";
    const error = buildFailure({ stage: "build", board: "b", output, log: "build.log" });
    expect(error.code).toBe("TMC5007");
    expect(error.message).toContain("1234 bytes");
  });

  it("tells configuration and build apart and names the log", () => {
    const of = (stage: "configure" | "build") =>
      buildFailure({ stage, board: "b", output: "error: x", log: "the.log" });
    expect(of("configure").code).toBe("TMC5005");
    expect(of("build").code).toBe("TMC5006");
    expect(of("build").fix).toContain("the.log");
  });
});
