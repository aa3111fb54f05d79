/** Small packages of every kind of layer, with every kernel: what fuzzing and the comparison of verdicts start from. */
import { packageModel } from "../../compiler/model/package/write.js";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import type { Graph } from "../../compiler/model/graph.js";
import {
  GraphBuilder,
  layerKinds,
  network,
  Random,
  randomInputs,
  sideBySide,
} from "../models/random-graphs.js";
import { addMovement } from "../models/random-movement.js";

export interface Seed {
  readonly name: string;
  readonly graph: Graph;
  readonly bytes: Uint8Array;
  readonly input: readonly Int8Array[];
  readonly outputs: readonly Int8Array[];
}

/** Fully connected layers with many weights: the wide kernel. */
function wide(): Graph {
  const b = new GraphBuilder(new Random(7), true);
  b.outputs.push(b.fullyConnected(b.input([1, 701]), 13), b.fullyConnected(b.input([2, 600]), 14));
  return b.graph("wide");
}

/** What random layers seldom are: a copy, a sum of equal scales, a window of 17 rows, a maximum. */
function special(): Graph {
  const b = new GraphBuilder(new Random(8), true);
  const input = b.input([1, 4, 3, 5]);
  b.outputs.push(b.reshape(input, [1, 60]), b.add(input, b.reshape(input, [1, 4, 3, 5])));
  b.outputs.push(b.depthwiseConv2D(b.input([1, 20, 3, 2]), { filterHeight: 17, filterWidth: 1 }));
  for (let i = 0; i < 8; i++) {
    b.outputs.push(addMovement(b, "reduce"));
  }
  return b.graph("special");
}

/** UTF-8 of every length. */
const about = {
  ...{ task: "t\u00e9\u6771\u{1f4a5}", labels: ["\u00e9"], unit: "g", rate: 100 },
  digest: "5a".repeat(32),
};

/** `each`: layers of each kind; `networks`: of each sort. */
export function seeds(each: number, networks: number): Seed[] {
  const graphs = [
    ...layerKinds.flatMap((kind, i) => [
      sideBySide(kind, each, 3000 + i),
      ...(i < 5 ? [sideBySide(kind, each, 4000 + i, true)] : []),
    ]),
    ...Array.from({ length: networks }, (_, i) => network(i)),
    ...Array.from({ length: networks }, (_, i) => network(100 + i, true)),
    wide(),
    special(),
  ];
  return graphs.map((graph, i) => {
    const [input = []] = randomInputs(graph, 1, i);
    const [result] = runOnNode(graph, [input]);
    const golden = i % 2 === 0 ? { golden: input } : {};
    return {
      name: graph.name,
      graph,
      bytes: packageModel(graph, { ...golden, ...(i % 3 === 0 ? { about } : {}) }),
      input,
      outputs: result?.outputs ?? [],
    };
  });
}
