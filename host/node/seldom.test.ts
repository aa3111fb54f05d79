import { describe, expect, it } from "vitest";
import { quietMs, Seldom } from "./seldom.js";

describe("what is told seldom", () => {
  it("is told once in a while, with how many were kept back", () => {
    let now = 0;
    const seldom = new Seldom(() => now);
    expect([1, 2, 3].map(() => seldom.tell("a"))).toEqual([0, undefined, undefined]);
    expect(seldom.tell("b")).toBe(0);
    now += quietMs;
    expect([seldom.tell("a"), seldom.tell("a")]).toEqual([2, undefined]);
  });
  it("is bounded, whatever keys there are", () => {
    let now = 0;
    const seldom = new Seldom(() => now);
    const told = Array.from({ length: 1000 }, (_, i) => seldom.tell(`key ${i}`));
    expect(told.filter((n) => n !== undefined)).toHaveLength(256);
    now += quietMs;
    expect(seldom.tell("key 999")).toBe(0);
  });
});
