/** A minimal node with the function of vibration-rms.ts built in: the same source, the same bits as its bundle. */
import { FunctionInvoke, minimalNode } from "tmc";
import { rms } from "./vibration-rms.js";

const node = minimalNode({
  name: "function-node",
  version: "0.1.0",
  sensors: [],
  models: [],
  functions: [rms],
  settings: [],
  labels: [],
  jobs: 1,
});
node.offer(new FunctionInvoke([rms]));
node.serve();
