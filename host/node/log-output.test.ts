/** The log on a terminal is for people, elsewhere JSON; what strangers send cannot steer the terminal. */
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { createLog } from "./log.js";
import { logFormatFor, logOutput, type LogFormat, type LogTarget } from "./log-output.js";

function memory(isTTY: boolean): LogTarget & { readonly text: () => string } {
  let text = "";
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return Object.assign(stream, { isTTY, text: () => text });
}

/** What is written of one line. */
async function written(format: LogFormat, isTTY: boolean, fields: object, msg: string): Promise<string> {
  const out = memory(isTTY);
  const { log } = createLog("info", await logOutput(format, out));
  log.child({ module: "core" }).warn(fields, msg);
  log.debug("below the level");
  return out.text();
}

describe("the log's format", () => {
  it("is pretty on a terminal, JSON elsewhere, and as asked in both", () => {
    expect(logFormatFor(undefined, memory(true))).toBe("pretty");
    expect(logFormatFor(undefined, memory(false))).toBe("json");
    expect(logFormatFor("json", memory(true))).toBe("json");
    expect(logFormatFor("pretty", memory(false))).toBe("pretty");
  });
  it("json: one document a line, nothing changed", async () => {
    const text = await written("json", true, { node: "n\u001b[2J" }, "joined");
    expect(JSON.parse(text)).toMatchObject({ level: 40, module: "core", node: "n\u001b[2J", msg: "joined" });
    expect(text.match(/\n/g)).toHaveLength(1);
  });
  it("pretty: time, level, module, message and fields on one line, without colours in a file", async () => {
    const text = await written("pretty", false, { node: "pump-1", waited: 3 }, "joined");
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: core: joined \{"node":"pump-1","waited":3\}\n$/);
  });
  it("pretty: control characters of strangers are replaced, a stack keeps its lines", async () => {
    const text = await written(
      "pretty",
      false,
      { node: "a\u009b2J" },
      "x\u001b[2J\r\n[00:00:00.000] INFO: forged",
    );
    expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(text).toContain("x\ufffd[2J");
    const stack = await written("pretty", false, { err: new Error("broken\u001b[2J") }, "failed");
    expect(stack).toContain("log-output.test.ts");
    expect(stack.split("\n").length).toBeGreaterThan(3);
    expect(stack).not.toContain("\u001b");
  });
  it("pretty: coloured on a terminal unless NO_COLOR is set", async () => {
    const before = process.env["NO_COLOR"];
    try {
      delete process.env["NO_COLOR"];
      expect(await written("pretty", true, {}, "joined")).toContain("\u001b[");
      process.env["NO_COLOR"] = "1";
      expect(await written("pretty", true, {}, "joined")).not.toContain("\u001b[");
    } finally {
      if (before === undefined) delete process.env["NO_COLOR"];
      else process.env["NO_COLOR"] = before;
    }
  });
});
