/**
 * The kit is right about a node that keeps every rule, and finds each of many faults, one node for each; then the nodes of
 * this repository are checked with it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeNode } from "./fake-node.js";
import { faults } from "./faults.js";
import { allRules, runKit, type NodeUnderTest, type RuleResult } from "./kit.js";
import { renderJUnit, renderJson, renderTable } from "./report.js";
import { openBroker } from "../support/open-broker.js";
import { completeFaults, type CompleteFault } from "./complete-faults.js";
import { startComplete } from "./complete-target.js";
import { startHost, type StartedTarget } from "./targets.js";

describe("conformance kit", () => {
  /** On a broker of its own: nobody hears what is between another kit and its node. */
  async function judge(fault: string | undefined, only?: string): Promise<RuleResult[]> {
    const broker = await openBroker();
    const id = "fake";
    const node = new FakeNode({
      url: broker.url,
      id,
      server: "edge",
      ...(fault === undefined ? {} : { fault }),
    });
    await node.start();
    try {
      return await runKit(
        {
          url: broker.url,
          server: "edge",
          node: id,
          kind: "minimal",
          controls: { restart: () => node.restart() },
        },
        only === undefined ? {} : { only: [only] },
      );
    } finally {
      await node.kill();
      await broker.close();
    }
  }

  it("finds nothing where nothing is wrong", async () => {
    const results = await judge(undefined);
    const wrong = results.filter(({ outcome }) => outcome !== "pass");
    expect(wrong.map(({ rule, reason }) => `${rule.id}: ${reason}`)).toEqual([]);
    const report = { target: "fake <&", results };
    expect(renderTable(report)).toContain(`${results.length} passed, 0 failed`);
    expect(JSON.parse(renderJson([report]))).toMatchObject({ targets: [{ ok: true }] });
    expect(renderJUnit([report])).toContain('<testsuite name="fake &#60;&#38;"');
  });

  // Most of the time is waiting: for answers that do not come.
  it("finds each fault", async () => {
    const missed: string[] = [];
    const queue = [...faults];
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [fault, rule, says] = next;
        const [result] = await judge(fault, rule);
        const found = result?.outcome === "fail" && result.reason.includes(says);
        if (!found) missed.push(`${fault} (${rule}): ${result?.outcome} ${result?.reason}`);
      }
    };
    await Promise.all(Array.from({ length: 12 }, worker));
    expect(missed).toEqual([]);
  });

  it("has a fault for every rule of minimal nodes", () => {
    const tested = new Set(faults.map(([, rule]) => rule));
    const missing = allRules.filter(({ id, kinds }) => kinds.includes("minimal") && !tested.has(id));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });
});

describe("the default minimal node", () => {
  it("keeps every rule", async () => {
    const target = await startHost();
    try {
      expect(await brokenRules(target.under, 50)).toEqual([]);
    } finally {
      await target.stop();
    }
  });
});

describe("a complete node", () => {
  let target: StartedTarget | undefined;
  let fault: CompleteFault | undefined;
  beforeAll(async () => {
    target = await startComplete((message, toNeighbour) => fault?.tamper(message, toNeighbour));
  });
  afterAll(async () => {
    await target?.stop();
  });
  const under = (): NodeUnderTest => {
    if (target === undefined) throw new Error("the node did not start");
    return target.under;
  };

  it("keeps every rule", async () => {
    fault = undefined;
    expect(await brokenRules(under(), 59)).toEqual([]);
  });

  it.each(completeFaults.map((each) => [each.name, each] as const))("is found when %s", async (_, each) => {
    fault = each;
    const [result] = await runKit(under(), { only: [each.rule] });
    expect(result).toMatchObject({ outcome: "fail", reason: expect.stringContaining(each.says) as string });
  });

  it("has a fault for every rule of complete nodes alone", () => {
    const tested = new Set(completeFaults.map(({ rule }) => rule));
    const missing = allRules.filter(({ id, kinds }) => !kinds.includes("minimal") && !tested.has(id));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });
});

/** What is wrong, where at least `least` rules were kept. */
async function brokenRules(node: NodeUnderTest, least: number): Promise<string[]> {
  const results = await runKit(node);
  const broken = results.filter(({ outcome }) => outcome === "fail");
  expect(results.filter(({ outcome }) => outcome === "pass").length + broken.length).toBeGreaterThanOrEqual(
    least,
  );
  return broken.map(({ rule, reason }) => `${rule.id}: ${reason}`);
}
