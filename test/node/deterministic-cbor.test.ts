import { describe, expect, it } from "vitest";
import { encodeCbor } from "../../host/bus/protocol.js";
import { violation } from "./deterministic-cbor.js";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));

describe("deterministic CBOR", () => {
  it.each([
    0,
    23,
    24,
    255,
    256,
    65536,
    4294967296,
    -1,
    -300,
    0.5,
    1.1,
    100000.5,
    3.4e38,
    1e-7,
    "ä",
    true,
    null,
  ])("accepts what the library makes of %j", (value) => {
    expect(violation(encodeCbor(new Map([[1, [value]]])))).toBeUndefined();
  });

  it.each([
    ["", "truncated"],
    ["a101", "truncated"],
    ["4201", "truncated"],
    ["0000", "1 bytes after the item"],
    ["1801", "head at 0 is longer than needed"],
    ["1900ff", "head at 0 is longer than needed"],
    ["5801ff", "head at 0 is longer than needed"],
    ["bfff", "indefinite length at 0"],
    ["1c", "reserved head at 0"],
    ["a202000100", "keys at 3 do not ascend"],
    ["a201000100", "keys at 3 do not ascend"],
    ["c100", "tag at 0: the protocol has none"],
    ["f7", "simple value 23 at 0: the protocol has none"],
    ["fa3f800000", "float at 0 is longer than needed"],
    ["fa7fc00000", "float at 0 is longer than needed"],
    ["fb3ff8000000000000", "float at 0 is longer than needed"],
    ["61ff", "The encoded data was not valid for encoding utf-8"],
  ])("refuses %s: %s", (hex, reason) => {
    expect(violation(bytes(hex))).toBe(reason);
  });

  it("knows halves", () => {
    expect(violation(bytes("f93c00"))).toBeUndefined();
    expect(violation(bytes("fa38800000"))).toBe("float at 0 is longer than needed"); // 2^-14
    expect(violation(bytes("fa33800000"))).toBe("float at 0 is longer than needed"); // 2^-24, subnormal
    expect(violation(bytes("fa33000000"))).toBeUndefined(); // 2^-25
    expect(violation(bytes("fa477fe100"))).toBeUndefined(); // 65505
  });
});
