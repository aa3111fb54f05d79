/**
 * A minimal node whose firmware comes over the bus. `tmc key new owner`, then `tmc build --board b_l4s5i_iot01a --bootloader
 * owner.key.pem` makes what is flashed once and what `node.update` takes: docs/zephyr.md.
 */
import { NodeControl, NodeUpdate, minimalNode } from "tmc";

const node = minimalNode({
  name: "tmc-firmware-update",
  version: "0.1.0",
  sensors: [],
  models: [],
  settings: [],
  labels: [],
  jobs: 2,
});
node.offer(new NodeControl());
node.offer(new NodeUpdate(node));
node.serve();
