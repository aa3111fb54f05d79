/** A short campaign of damaged models; `npm run fuzz:models` runs long ones. */
import { describe, expect, it } from "vitest";
import { runCampaign } from "./campaign.js";

describe("damaged models", () => {
  it("give a graph or a coded error", async () => {
    const result = await runCampaign({ runs: 400, seed: 1 });
    expect(result.failures).toEqual([]);
    // Damage must reach behind the containers, and not always break the model.
    expect(Object.keys(result.errors).length).toBeGreaterThan(10);
    expect(result.graphs).toBeGreaterThan(20);
  });
});
