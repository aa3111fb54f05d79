/**
 * The default minimal node: describes, monitors and configures itself, collects from its accelerometer, and tells
 * what a vibration means. Copy it to make a node of your own.
 */
import { DataCollect, Model, ModelInfer, NumberSetting, Sensor, minimalNode } from "tmc";

const accelerometer = new Sensor("accelerometer", {
  unit: "g",
  channels: ["x", "y", "z"],
  rate: 100,
  maxRate: 6664,
  least: -4,
  most: 4,
});

const vibration = new Model("../models/vibration/vibration.tflite");

/** Hz, for collecting where a request states no rate; 0 = the sensor's own. */
const collectRate = new NumberSetting("collect.rate", 0, 0, 6664);

const node = minimalNode({
  name: "tmc-minimal",
  version: "0.1.0",
  sensors: [accelerometer],
  models: [vibration],
  settings: [collectRate],
  labels: [],
  jobs: 4,
});
node.offer(new DataCollect([accelerometer], collectRate));
node.offer(new ModelInfer([vibration], [accelerometer]));
node.serve();
