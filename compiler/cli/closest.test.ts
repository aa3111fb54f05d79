import { describe, expect, it } from "vitest";
import { closest, editDistance } from "./closest.js";

describe("closest", () => {
  it("counts insertions, deletions, replacements and swaps", () => {
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("build", "biuld")).toBe(1);
    expect(editDistance("host", "hosts")).toBe(1);
    expect(editDistance("host", "hast")).toBe(1);
    expect(editDistance("node", "node")).toBe(0);
  });
  it("orders by distance, then by name, and ignores what is far", () => {
    expect(closest("hst", ["node", "host", "hat"])).toEqual(["hat", "host"]);
    expect(closest("cloud", ["node", "host"])).toEqual([]);
  });
});
