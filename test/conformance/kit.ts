/** Runs the rules against one node and gathers what came of each. */
import { announceRules } from "./rules-announce.js";
import { answerRules } from "./rules-answer.js";
import { encodingRules } from "./rules-encoding.js";
import { forwardRules } from "./rules-forward.js";
import { operationRules } from "./rules-operations.js";
import { overallRules } from "./rules-overall.js";
import { queueRules } from "./rules-queue.js";
import { requestRules } from "./rules-request.js";
import { routeRules } from "./rules-route.js";
import { playNode } from "./played-node.js";
import { Probe, Violation, Wire, uniqueId } from "./probe.js";
import {
  NotApplicable,
  type Controls,
  type NodeKind,
  type PlayedNode,
  type Rule,
  type RuleContext,
} from "./rule.js";
import { map, outcome, readMap, type CborMap } from "./wire.js";

export type Outcome = "pass" | "fail" | "not applicable";

export interface RuleResult {
  readonly rule: Pick<Rule, "id" | "clause" | "text">;
  readonly outcome: Outcome;
  /** Why it failed, or does not apply. */
  readonly reason: string;
  readonly ms: number;
}

export interface NodeUnderTest {
  readonly url: string;
  readonly server: string;
  readonly node: string;
  readonly kind: NodeKind;
  readonly controls?: Controls;
  readonly limits?: RuleContext["limits"];
  /** A sensor of a complete node. */
  readonly sensor?: RuleContext["sensor"];
  readonly neighbour?: RuleContext["neighbour"];
}

export interface RunOptions {
  /** Only rules whose id begins so. */
  readonly only?: readonly string[];
  readonly onResult?: (result: RuleResult) => void;
}

/** All rules; those that look at the whole run come last. */
export const allRules: readonly Rule[] = [
  ...requestRules,
  ...encodingRules,
  ...queueRules,
  ...operationRules,
  ...routeRules,
  ...answerRules,
  ...forwardRules,
  ...announceRules,
  ...overallRules,
];

const ruleLimitMs = 60_000;

/** @throws Violation when the node cannot be found at all */
export async function runKit(target: NodeUnderTest, options: RunOptions = {}): Promise<RuleResult[]> {
  const { url, server, node, kind } = target;
  // As a minimal node hears a server; to a complete node the kit is one of its nodes.
  const asker = uniqueId();
  const wire = await Wire.connect(url, kind === "minimal" ? `${asker}-ears` : asker);
  const way =
    kind === "minimal"
      ? { send: `t1/${server}/${node}/x`, answers: `t1/${server}/${node}/y`, sender: asker }
      : { send: `t1/${server}/q/${asker}`, answers: `t1/${server}/${asker}/r`, sender: asker };
  const played: PlayedNode[] = [];
  try {
    if (!(await wire.subscribe("t1/#"))) await wire.subscribe(way.answers);
    const probe = new Probe(wire, way);
    const place =
      kind === "minimal" || target.neighbour === undefined
        ? { wire, prefix: `t1/${server}/${node}` }
        : { wire: target.neighbour.wire, prefix: `t1/${target.neighbour.id}/${node}` };
    const births = (): CborMap | undefined => {
      const found = place.wire.messages.filter(({ topic }) => topic === `${place.prefix}/b`).at(-1);
      return found === undefined ? undefined : readMap(found.payload);
    };
    const found = kind === "minimal" ? await wire.until(births, 15_000) : await described(probe, node);
    if (found === undefined) {
      throw new Violation(`no birth record of ${node} on ${place.prefix}/b at ${url} within 15 s`);
    }
    const isOnline = (since: number): true | undefined =>
      place.wire.messages.some(
        ({ topic, payload, at }) =>
          at > since && topic === `${place.prefix}/s` && readMap(payload)?.get(3) === true,
      )
        ? true
        : undefined;
    const { restart } = target.controls ?? {};
    const context: RuleContext = {
      kind,
      url,
      server,
      node,
      wire,
      probe,
      birth: () => births() ?? found,
      limits: target.limits ?? {},
      sensor: target.sensor,
      neighbour: target.neighbour,
      controls:
        restart === undefined
          ? {}
          : {
              restart: async () => {
                const since = performance.now();
                await restart();
                await place.wire.until(() => isOnline(since), 20_000);
              },
            },
      playNode: async (id, nodeOptions) => {
        const node = await playNode(
          server,
          id,
          (clientId, { topic, payload }) =>
            Wire.connect(url, clientId, { will: { topic, payload, qos: 1, retain: true } }),
          nodeOptions,
        );
        played.push(node);
        return node;
      },
    };
    const results: RuleResult[] = [];
    for (const rule of allRules) {
      if (!rule.kinds.includes(kind)) continue;
      if (options.only !== undefined && !options.only.some((prefix) => rule.id.startsWith(prefix))) continue;
      const result = await checkRule(rule, context);
      for (const node of played.splice(0)) await node.close();
      results.push(result);
      options.onResult?.(result);
    }
    return results;
  } finally {
    for (const node of played) await node.close();
    await wire.close();
  }
}

/** What a complete node says of itself; a server does not announce itself on its own bus. */
async function described(probe: Probe, node: string): Promise<CborMap> {
  const { done } = await probe.ask({ operation: "node.describe", selector: map({ 2: node }) }, 15_000);
  if (done.result === undefined) throw new Violation(`node.describe of ${node}: ${outcome(done)}`);
  return done.result;
}

async function checkRule(rule: Rule, context: RuleContext): Promise<RuleResult> {
  const startedAt = performance.now();
  const result = (outcome: Outcome, reason = ""): RuleResult => ({
    rule: { id: rule.id, clause: rule.clause, text: rule.text },
    outcome,
    reason,
    ms: Math.round(performance.now() - startedAt),
  });
  try {
    await withinLimit(rule.check(context));
    return result("pass");
  } catch (error) {
    if (error instanceof NotApplicable) return result("not applicable", error.message);
    if (error instanceof Violation) return result("fail", error.message);
    return result(
      "fail",
      `the check itself failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** A rule that waits for ever must not hold up the others. */
async function withinLimit(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not decided within ${ruleLimitMs / 1000} s`)), ruleLimitMs);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
