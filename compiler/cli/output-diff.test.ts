import { describe, expect, it } from "vitest";
import { diffLines } from "./output-diff.js";

describe("diffLines", () => {
  it("gives nothing for equal texts", () => {
    expect(diffLines("a\nb\n", "a\nb\n")).toEqual([]);
  });
  it("shows a changed line with its surroundings and leaves out the rest", () => {
    const a = "1\n2\n3\n4\n5\n6\n7\n";
    expect(diffLines(a, a.replace("4", "x"))).toEqual([
      "  …",
      "  2",
      "  3",
      "- 4",
      "+ x",
      "  5",
      "  6",
      "  …",
    ]);
  });
  it("shows lines that one side lacks", () => {
    expect(diffLines("a\nb\n", "a\n")).toEqual(["  a", "- b"]);
    expect(diffLines("", "a\n")).toEqual(["+ a"]);
  });
  it("sees a missing end of line and control characters", () => {
    expect(diffLines("a\n", "a")).toEqual(["- a", "+ a (no end of line)"]);
    expect(diffLines("a\u0001\n", "a\n")).toEqual(["- a\\x01", "+ a"]);
  });
  it("bounds what it prints", () => {
    const many = Array.from({ length: 5000 }, (_, i) => `${i}\n`).join("");
    const lines = diffLines(many, many.replace(/\n/g, "!\n"));
    expect(lines).toHaveLength(61);
    expect(lines.at(-1)).toBe("  … and 9940 more lines");
  });
});
