/** The shortest run of `npm run faults`, and proof that its judgement finds what it must. */
import { describe, expect, it } from "vitest";
import type { Answer } from "../../host/bus/protocol.js";
import { Outages, storeItem, type Tracked } from "./fault-client.js";
import { judge, renderFaults, skippedFault, type Evidence, type FaultResult } from "./fault-report.js";
import { defaultOptions, faults } from "./faults.js";

const answer = (error?: number): Answer => ({
  version: 1,
  id: 1,
  boot: 7,
  stage: 2,
  node: "edge",
  ...(error === undefined ? {} : { error: { code: error } }),
});

function tracked(n: number, done: Answer[], more: Partial<Tracked> = {}): Tracked {
  const fate = done.length === 0 ? "unanswered" : "answered";
  return {
    n,
    order: storeItem(n),
    payload: Buffer.of(),
    firstAt: 0,
    lastAt: 0,
    sends: 1,
    done,
    fate,
    ...more,
  };
}

function judged(requests: Tracked[], more: Partial<Evidence> = {}): FaultResult {
  const client = { requests: new Map(requests.map((each) => [each.n, each])) };
  const found = new Map(requests.map(({ n }) => [n, 1]));
  const rest = { outages: new Outages(), wrong: [], allowed: () => ["no-space"], expected: ["ok"] };
  return judge({ fault: "test", times: 1, awayMs: 0, clients: [client], found, ...rest, ...more });
}

describe("the judgement of faults", () => {
  it("is content with what is kept", () => {
    const result = judged([tracked(1, [answer()]), tracked(2, [answer(13)])]);
    expect(result).toMatchObject({
      requests: 2,
      ok: 1,
      errors: { "no-space": 1 },
      acknowledged: 1,
      found: 1,
    });
    expect(result.broken).toEqual([]);
  });

  it.each<[string, Tracked[], Partial<Evidence>, RegExp]>([
    ["a lost write", [tracked(1, [answer()])], { found: new Map() }, /1 acknowledged writes are lost/],
    ["a write stored twice", [tracked(1, [answer()])], { found: new Map([[1, 2]]) }, /more than once/],
    ["a stranger", [tracked(1, [answer()])], { found: new Map([[1, 1], [9, 1]]) }, /never sent/], // prettier-ignore
    ["no answer", [tracked(1, [answer()]), tracked(2, [])], {}, /no answer by their deadline/],
    ["two answers", [tracked(1, [answer(), answer()])], {}, /answered twice/],
    ["a contradiction", [tracked(1, [answer(), answer(13)], { sends: 2 })], {}, /answered twice/],
    ["another error", [tracked(1, [answer()]), tracked(2, [answer(16)])], {}, /data.store: internal/],
    ["no fault", [tracked(1, [answer(13)])], {}, /no request ended with ok/],
    ["a damaged item", [tracked(1, [answer()])], { wrong: ["item 1 is not"] }, /item 1 is not/],
  ])("finds %s", (_name, requests, more, sentence) => {
    const result = judged(requests, more);
    expect(result.broken.join("; ")).toMatch(sentence);
    expect(renderFaults([result])).toMatch(/^BROKEN: test: /m);
  });

  it("lets repetitions be answered with the same outcome, and patience end", () => {
    expect(judged([tracked(1, [answer(), answer()], { sends: 2 })]).broken).toEqual([]);
    const result = judged([tracked(1, [answer()]), tracked(2, [], { fate: "gave up" })]);
    expect([result.gaveUp, result.broken.length]).toEqual([1, 0]);
  });

  it("names what was skipped", () => {
    expect(renderFaults([skippedFault("disk full", "needs this")])).toContain(
      "skipped: disk full (needs this)",
    );
  });
});

describe("a complete node under load", () => {
  it("keeps its promises when it is killed", async () => {
    const inject = faults.get("node");
    const result = await inject?.({ ...defaultOptions, rounds: 1, clients: 2, rate: 60, calmMs: 400 });
    expect(result?.broken).toEqual([]);
    expect(result?.acknowledged).toBeGreaterThan(5);
    expect(result?.found).toBe(result?.acknowledged);
  });
});
