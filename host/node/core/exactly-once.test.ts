/**
 * Whatever nodes do (die, answer late, twice, never, refuse, come back) and however often a request is repeated: each
 * request ends in exactly one terminal answer, by its deadline, and nothing is left behind.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { CoreWorld, settled } from "../../../test/support/core-world.js";
import type { MemoryNode } from "../../../test/support/memory-node.js";
import type { ServerRequest } from "../../bus/request-codec.js";

type Step =
  | { readonly kind: "ask" | "die" | "return"; readonly node: number }
  | { readonly kind: "accept" | "done" | "busy"; readonly node: number; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("ask" as const), node: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("die" as const, "return" as const), node: fc.nat(2) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("accept" as const, "done" as const, "done" as const, "busy" as const),
      node: fc.nat(2),
      which: fc.nat(5),
    }),
  },
);

it("every request gets exactly one terminal answer", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = new CoreWorld();
      const { core } = await world.server("edge", [], { requests: { inFlightPerNode: 2, queuePerNode: 2 } });
      const boots = [1, 1, 1];
      const seen: ServerRequest[][] = [[], [], []];
      const join = async (n: number): Promise<MemoryNode> => {
        const node = await world.node("edge", `n${n}`, {}, boots[n]);
        node.behaviour = (request) => seen[n]?.push(request);
        return node;
      };
      const nodes = [await join(0), await join(1), await join(2)];
      const asker = await world.node("edge", "a", { operations: ["node.describe"] });
      const asked: number[] = [];
      for (const s of steps) {
        const node = nodes[s.node]!;
        if ("which" in s) {
          const request = seen[s.node]?.[s.which];
          if (request === undefined) continue;
          if (s.kind === "accept") node.answer(request, { stage: 1 });
          else node.answer(request, { stage: 2, ...(s.kind === "busy" ? { error: { code: 7 } } : {}) });
        } else if (s.kind === "ask") asked.push(asker.ask({ operation: "model.infer", deadlineMs: 60 }));
        else if (s.kind === "die") node.connection.die();
        else if (s.kind === "return") {
          if (node.connection.connected) continue;
          boots[s.node]! += 1;
          nodes[s.node] = await join(s.node);
        }
        await settled();
      }
      // Late answers, after everything has ended.
      while (core.pending() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      nodes.forEach((node, n) => seen[n]?.forEach((request) => node.answer(request, { stage: 2 })));
      await settled();
      expect(asked.map((id) => asker.done(id).length)).toEqual(asked.map(() => 1));
      for (const id of asked) {
        const stages = asker.answers.filter((x) => x.id === id).map((x) => x.stage);
        expect(stages.filter((x) => x === 1).length).toBeLessThanOrEqual(1);
        expect(stages.at(-1)).toBe(2);
      }
      for (const n of core.nodes()) expect([n.node, n.inFlight]).toEqual([n.node, 0]);
      await world.stop();
    }),
    { numRuns: 12 },
  );
});
