/** The split: shares by label, by time, the same for the same seed. */
import { describe, expect, it } from "vitest";
import { countsOf, splitUsages } from "./split.js";

const shares = { training: 0.6, validation: 0.2, test: 0.2, calibration: 0 };
const labels = Array.from({ length: 50 }, (_, i) => (i % 5 === 0 ? "rare" : "often"));
const count = (usages: readonly (string | undefined)[], usage: string, label: string) =>
  usages.filter((one, i) => one === usage && labels[i] === label).length;

describe("the split", () => {
  it("keeps the shares of each label", () => {
    const usages = splitUsages(labels, shares, "random", 1);
    expect([count(usages, "training", "rare"), count(usages, "test", "rare")]).toEqual([6, 2]);
    expect([count(usages, "training", "often"), count(usages, "validation", "often")]).toEqual([24, 8]);
  });

  it("is the same for the same seed and another for another", () => {
    expect(splitUsages(labels, shares, "random", 7)).toEqual(splitUsages(labels, shares, "random", 7));
    expect(splitUsages(labels, shares, "random", 7)).not.toEqual(splitUsages(labels, shares, "random", 8));
  });

  it("by time takes the oldest for training", () => {
    const usages = splitUsages(labels, shares, "time", 1);
    expect(usages.slice(0, 30)).toEqual(new Array(30).fill("training"));
    expect(usages.slice(-10)).toEqual(new Array(10).fill("test"));
  });

  it("misses a share by less than an item, and leaves the rest without usage", () => {
    expect(countsOf({ training: 0.5, validation: 0.25, test: 0.25, calibration: 0 }, 7)).toEqual({
      training: 3,
      validation: 2,
      test: 2,
      calibration: 0,
    });
    const usages = splitUsages(
      ["a", "a", "a", "a"],
      { ...shares, training: 0.5, validation: 0, test: 0 },
      "random",
      1,
    );
    expect(usages.filter((usage) => usage === undefined)).toHaveLength(2);
  });
});
