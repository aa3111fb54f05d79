import { describe, expect, it } from "vitest";
import { createSimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { TextBuffer } from "./text-buffer.js";

usePlatform(createSimulatedPlatform());

describe("TextBuffer", () => {
  it("joins what is written", () => {
    const out = new TextBuffer(40);
    out.write("t=");
    out.writeI32(-12);
    out.write(" u=");
    out.writeU32(4294967295);
    out.write(" f=");
    out.writeF64(0.1);
    out.write(" b=");
    out.writeBool(true);
    expect(out.toString()).toBe("t=-12 u=4294967295 f=0.1 b=true");
    expect(out.length).toBe(31);
    out.clear();
    expect(out.toString()).toBe("");
  });

  it("traps over its capacity and keeps what was there", () => {
    const out = new TextBuffer(4);
    out.write("abc");
    for (const action of [() => out.write("de"), () => out.writeI32(10), () => out.writeBool(true)]) {
      expect(action).toThrow(expect.objectContaining({ kind: "capacity" }));
    }
    expect(out.toString()).toBe("abc");
    out.write("d");
    expect(out.toString()).toBe("abcd");
  });

  it("assigns only what fits", () => {
    const out = new TextBuffer(3);
    expect(out.assign("abc")).toBe(true);
    expect(out.assign("abcd")).toBe(false);
    expect(out.toString()).toBe("abc");
    expect(out.assign("")).toBe(true);
    expect(out.toString()).toBe("");
  });

  it("keeps bytes as they are", () => {
    const out = new TextBuffer(4);
    out.write("\xff\x00\x80");
    expect(out.toString()).toBe("\xff\x00\x80");
  });
});
