/** Damaged models in small doses: a short campaign, and damage that fast-check makes smaller. `npm run fuzz:models` runs long ones. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outcome, runCampaign } from "./campaign.js";
import { seeds } from "./seeds.js";

describe("damaged models", () => {
  it("give a graph or a coded error", async () => {
    const result = await runCampaign({ runs: 400, seed: 1 });
    expect(result.failures).toEqual([]);
    // Damage must reach behind the containers, and not always break the model.
    expect(Object.keys(result.errors).length).toBeGreaterThan(10);
    expect(result.graphs).toBeGreaterThan(20);
  });

  it("do so for any choice of damage", async () => {
    const all = (await seeds()).filter((entry) => entry.format !== "Keras");
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.nat(all.length - 1),
        fc.array(fc.nat(2 ** 31 - 1), { minLength: 4, maxLength: 40 }),
        (which, choices) => {
          let taken = 0;
          const model = all[which]?.make(
            (limit) => ((choices[taken % choices.length] ?? 0) + taken++) % limit,
          );
          if (model !== undefined) seen.add(outcome(model)); // throws what is not a coded error
        },
      ),
      { numRuns: 300, seed: 1 },
    );
    expect(seen.size).toBeGreaterThan(5);
  });
});
