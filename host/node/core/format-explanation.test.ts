import { expect, it } from "vitest";
import { formatExplanation } from "./format-explanation.js";

const score = { total: 18, parts: { latency: 8, load: 0, energy: 10 } };

it("marks the chosen one and says why the others are not", () => {
  const text = formatExplanation({
    decision: "dispatch",
    chosen: "n1",
    error: undefined,
    candidates: [
      { node: "n1", kind: "node", fits: true, why: "", score },
      { node: "edge", kind: "self", fits: false, why: "operation", score: undefined },
      { node: "n3", kind: "node", fits: false, why: "input.shape", score: undefined },
    ],
  });
  expect(text.split("\n")).toEqual([
    "dispatch to n1",
    "",
    "   node  kind  score  why",
    "*  n1    node     18  fits: latency 8 + load 0 + energy 10",
    "   edge  self         does not offer the operation",
    "   n3    node         input descriptor: shape differs",
    "",
  ]);
});

it("names the error of a refusal", () => {
  const error = { code: "not-found", text: "no node offers it", field: "selector.name" };
  expect(formatExplanation({ decision: "refuse", chosen: undefined, error, candidates: [] })).toContain(
    "refuse: not-found (selector.name): no node offers it",
  );
});
