/**
 * The kit is right about a node that keeps every rule, and finds each of many faults, one node for each; then the nodes of
 * this repository are checked with it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeNode } from "./fake-node.js";
import { allRules, runKit, type RuleResult } from "./kit.js";
import { renderJUnit, renderJson, renderTable } from "./report.js";
import { openBroker, startComplete, startHost, type OpenBroker, type StartedTarget } from "./targets.js";

/** A fault of the fake node, and the rule that must find it. */
const faults: readonly (readonly [fault: string, rule: string])[] = [
  ["no accepted", "request.accepted-done"],
  ["done twice", "request.accepted-done"],
  ["executing node", "request.accepted-done"],
  ["no times", "request.accepted-done"],
  ["accepted with times", "request.accepted-done"],
  ["qos 0 ignored", "request.qos0"],
  ["unknown keys", "request.unknown-keys"],
  ["long heads", "encoding.long-heads"],
  ["indefinite", "encoding.indefinite"],
  ["key order", "encoding.key-order"],
  ["trailing", "encoding.trailing"],
  ["malformed dies", "malformed.corpus"],
  ["malformed uncounted", "malformed.dropped"],
  ["malformed answered", "malformed.dropped"],
  ["version", "error.version"],
  ["operation first", "error.version"],
  ["unknown accepted", "error.unknown-operation"],
  ["types", "error.bad-request"],
  ["no field", "error.bad-request"],
  ["oversized", "error.too-large"],
  ["error code", "error.unknown-operation"],
  ["encoding", "error.forms"],
  ["qos 0", "error.forms"],
  ["selector", "selector.node"],
  ["operation first", "order.selector-operation"],
  ["executed again", "duplicate.same-bytes"],
  ["other bytes", "duplicate.same-bytes"],
  ["duplicates uncounted", "duplicate.same-bytes"],
  ["identity", "duplicate.identity"],
  ["refusals remembered", "duplicate.refusal"],
  ["unknown topic", "topic.unknown"],
  ["errors uncounted", "monitor.counters"],
  ["zero deadline", "deadline.zero"],
  ["no deadline", "deadline.kept"],
  ["late deadline", "deadline.kept"],
  ["late result", "deadline.kept"],
  ["queue deadline", "deadline.in-queue"],
  ["blocking", "background.interleaved"],
  ["repeated work", "background.repeated"],
  ["repeated silent", "background.repeated"],
  ["queue length", "queue.busy"],
  ["no retry", "queue.busy"],
  ["priority", "queue.priority"],
  ["samples shape", "collect.samples"],
  ["summary", "collect.summary"],
  ["summary output", "collect.summary"],
  ["unknown sensor", "collect.refused"],
  ["bounds", "collect.refused"],
  ["frames fit", "collect.too-large"],
  ["random output", "infer.inline"],
  ["model name", "infer.inline"],
  ["accepted output", "infer.f32"],
  ["dequantised", "infer.accept-f32"],
  ["shape", "fits.conflicts"],
  ["scale", "fits.conflicts"],
  ["length", "fits.conflicts"],
  ["ones count", "fits.allows"],
  ["any size", "fits.allows"],
  ["rate exact", "fits.allows"],
  ["any model", "infer.selector"],
  ["any sensor", "infer.sensor"],
  ["some changed", "configure.all-or-none"],
  ["settings forgotten", "configure.all-or-none"],
  ["birth not retained", "birth.retained"],
  ["birth schema", "birth.schema"],
  ["birth node", "birth.identity"],
  ["no monitor", "birth.operations"],
  ["described", "birth.described"],
  ["state boot", "state.retained"],
  ["state offline", "state.retained"],
  ["no will", "will.published"],
  ["will keys", "will.published"],
  ["will boot", "will.published"],
  ["client id", "will.published"],
  ["announce once", "connect.announces"],
  ["boot stays", "boot.rises"],
  ["no events", "event.telemetry"],
  ["event numbers", "event.telemetry"],
  ["event name", "event.telemetry"],
  ["event retained", "event.telemetry"],
  ["foreign topic", "topics.closed"],
];

/** Undefined when it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  const done = await Promise.race([work, late]);
  clearTimeout(timer);
  return done;
}

describe("conformance kit", () => {
  let broker: OpenBroker;
  beforeAll(async () => {
    broker = await openBroker();
  });
  afterAll(async () => {
    await broker.close();
  });

  let count = 0;
  async function judge(fault: string | undefined, only?: string): Promise<RuleResult[]> {
    const id = `fake${++count}`;
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
        const [fault, rule] = next;
        // On a busy machine a connection may be late for a check: once more, then it counts.
        const [result] =
          (await within(60_000, judge(fault, rule))) ?? (await within(60_000, judge(fault, rule))) ?? [];
        const found = result?.outcome === "fail" && !result.reason.startsWith("the check itself");
        if (!found) missed.push(`${fault} (${rule}): ${result?.outcome} ${result?.reason}`);
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    expect(missed).toEqual([]);
  }, 400_000);

  it("has a fault for every rule of minimal nodes", () => {
    const tested = new Set(faults.map(([, rule]) => rule));
    const missing = allRules.filter(({ id, kinds }) => kinds.includes("minimal") && !tested.has(id));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });
});

describe.each<[string, () => Promise<StartedTarget>, number]>([
  ["the default minimal node", startHost, 45],
  ["a complete node", startComplete, 54],
])("%s", (_, start, least) => {
  it("keeps every rule", async () => {
    const target = await start();
    try {
      const results = await runKit(target.under);
      const wrong = results.filter(({ outcome }) => outcome === "fail");
      expect(wrong.map(({ rule, reason }) => `${rule.id}: ${reason}`)).toEqual([]);
      expect(results.filter(({ outcome }) => outcome === "pass").length).toBeGreaterThanOrEqual(least);
    } finally {
      await target.stop();
    }
  });
});
