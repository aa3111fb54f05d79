/**
 * One inference after the other on this computer: float models by the float executor, integer models by the exact one,
 * whose bits are the microcontroller's.
 */
import { tensorAt, type Graph } from "../../../compiler/model/graph.js";
import { integersOf, parametersOf, quantizeInput } from "../../../compiler/model/quantize/accuracy.js";
import { FloatExecutor } from "../../../compiler/model/quantize/float-executor.js";
import { ModelRuntime } from "../../../compiler/model/runtime.js";

/** Values in the input's unit in, dequantised outputs out (valid until the next call). */
export type Run = (input: Float32Array) => ArrayLike<number>;

export function runnerOf(graph: Graph): Run {
  if (tensorAt(graph, graph.inputs[0] ?? -1).type === "float32") {
    const executor = new FloatExecutor(graph);
    return (input) => executor.run(input);
  }
  const runtime = new ModelRuntime(graph);
  const output = graph.outputs[0] ?? -1;
  const { scale, zeroPoint } = parametersOf(graph, output);
  return (input) => {
    runtime.input(0).set(quantizeInput(graph, input));
    runtime.invoke();
    return Float32Array.from(integersOf(graph, output, runtime.output(0)), (q) => scale * (q - zeroPoint));
  };
}
