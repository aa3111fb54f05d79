/** What `tmc explain` says about servers that are several workers. */
import type { CatalogueEntry } from "../../../compiler/diagnostics/catalogue-entry.js";

export const catalogue: CatalogueEntry[] = [
  {
    code: "TMC6810",
    title: "ids of server and worker are too long together",
    rule: "Workers share the id of their server; each connects to the broker as `<server>-<worker>`, a client id of 23 characters at most.",
    wrong:
      "id: assembly-hall-edge-3\nbus: { external: { url: mqtt://broker, workers: { name: worker-1, redis: redis://db } } }",
    right:
      "id: hall-edge-3\nbus: { external: { url: mqtt://broker, workers: { name: w1, redis: redis://db } } }",
  },
];
