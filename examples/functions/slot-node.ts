/**
 * A minimal node with a function of its own and a slot for one that comes over the bus. `tmc key new`,
 * `tmc function build --board` and `tmc sign` make what it takes: docs/functions.md.
 */
import { FunctionDeploy, FunctionInvoke, FunctionRemove, SlotFunction, minimalNode } from "tmc";
import { rms } from "./vibration-rms.js";

/** Room for functions with up to 16 KB of RAM and outputs of 256 bytes. */
const slot = new SlotFunction({ ramBytes: 16384, outputBytes: 256 });

const node = minimalNode({
  name: "function-slot-node",
  version: "0.1.0",
  sensors: [],
  models: [],
  functions: [rms, slot],
  settings: [],
  labels: [],
  jobs: 2,
});
node.offer(new FunctionInvoke([rms, slot]));
node.offer(new FunctionDeploy(node, slot));
node.offer(new FunctionRemove(node, slot));
node.serve();
