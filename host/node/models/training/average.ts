/** Federated averaging: the weighted mean of the weights of models that are alike but for them (McMahan et al., 2017). */
import type { Graph } from "../../../../compiler/model/graph.js";
import { writeTflite } from "../../../../compiler/model/tflite/write.js";
import { OperationFailure } from "../../operations/operation.js";
import { readGraph } from "../inspect-model.js";
import { withConstants } from "./normalization.js";
import type { AverageResult, AverageTask } from "./tasks.js";

/** Everything of a graph but its weights and names. */
function structureOf({ tensors, operators, inputs, outputs }: Graph): string {
  const shapes = tensors.map(({ type, shape, data }) => [type, shape, data === undefined]);
  return JSON.stringify([shapes, operators, inputs, outputs]);
}

/** @throws OperationFailure descriptor-mismatch when layers or shapes differ */
export function average(task: AverageTask): AverageResult {
  const graphs = task.models.map((bytes) => readGraph(bytes, task.name));
  const [first] = graphs;
  const odd = graphs.findIndex((graph) => first === undefined || structureOf(graph) !== structureOf(first));
  if (first === undefined || odd >= 0) {
    throw new OperationFailure(
      "descriptor-mismatch",
      "the models have other layers",
      `arguments.models.${odd}`,
    );
  }
  const total = task.weights.reduce((a, b) => a + b, 0);
  const means = new Map<number, Float32Array>();
  first.tensors.forEach(({ data }, index) => {
    if (!(data instanceof Float32Array)) return;
    const sum = new Float64Array(data.length);
    graphs.forEach((graph, k) => {
      const share = (task.weights[k] ?? 0) / total;
      const values = graph.tensors[index]?.data;
      if (!(values instanceof Float32Array)) return;
      values.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + share * value));
    });
    means.set(index, Float32Array.from(sum));
  });
  return { model: writeTflite({ ...withConstants(first, means), name: task.name }) };
}
