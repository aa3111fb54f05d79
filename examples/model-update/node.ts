/**
 * A minimal node whose model comes over the bus: nothing is compiled in but the kernels. `tmc key new`, `tmc model package`
 * and `tmc sign` make what it takes: docs/updates.md.
 */
import {
  DataCollect,
  ModelDeploy,
  ModelInfer,
  ModelUndeploy,
  NumberSetting,
  Sensor,
  SlotModel,
  minimalNode,
} from "tmc";

const accelerometer = new Sensor("accelerometer", {
  unit: "g",
  channels: ["x", "y", "z"],
  rate: 100,
  maxRate: 6664,
  least: -4,
  most: 4,
});

/** Room for models with up to 16 KB of tensors and windows of 1024 values; sums up what goes in, by channel. */
const model = new SlotModel({ arenaBytes: 16384, inputSize: 1024, driftFeatures: 3 });

const collectRate = new NumberSetting("collect.rate", 0, 0, 6664);

const node = minimalNode({
  name: "tmc-model-update",
  version: "0.1.0",
  sensors: [accelerometer],
  models: [model],
  settings: [collectRate],
  labels: [],
  jobs: 4,
});
node.offer(new DataCollect([accelerometer], collectRate));
node.offer(new ModelInfer([model], [accelerometer]));
node.offer(new ModelDeploy(node, model));
node.offer(new ModelUndeploy(node, model));
node.serve();
