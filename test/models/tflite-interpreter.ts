/**
 * Runs .tflite models in an independent interpreter: TensorFlow Lite with its reference kernels, in a Python that the
 * variable TMC_TFLITE_PYTHON names and that has ai-edge-litert, tflite-runtime or tensorflow. Nothing is installed here.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The Python to use; undefined: tests that need it are skipped. */
export const tflitePython = process.env["TMC_TFLITE_PYTHON"];

const program = `
import base64, json, sys
import numpy as np
try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    try:
        from tflite_runtime.interpreter import Interpreter, OpResolverType
    except ImportError:
        from tensorflow.lite.python.interpreter import Interpreter, OpResolverType
results = []
for case in json.load(open(sys.argv[1])):
    interpreter = Interpreter(model_path=case["model"],
                              experimental_op_resolver_type=getattr(OpResolverType, case["kernels"]))
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    target = interpreter.get_output_details()[0]
    outputs = []
    for text in case["inputs"]:
        data = np.frombuffer(base64.b64decode(text), dtype=source["dtype"]).reshape(source["shape"])
        interpreter.set_tensor(source["index"], data)
        interpreter.invoke()
        outputs.append(base64.b64encode(interpreter.get_tensor(target["index"]).tobytes()).decode())
    results.append(outputs)
print(json.dumps(results))
`;

/** Kernels that are written to be read, and those that are for speed. */
export const tfliteKernels = ["BUILTIN_REF", "BUILTIN_WITHOUT_DEFAULT_DELEGATES"] as const;

export type TfliteKernels = (typeof tfliteKernels)[number];

export interface TfliteCase {
  readonly file: Uint8Array;
  readonly inputs: readonly Uint8Array[];
}

/** The bytes of the first output for every input of every case. Throws when Python fails. */
export function runTflite(
  python: string,
  cases: readonly TfliteCase[],
  kernels: TfliteKernels = "BUILTIN_REF",
): Buffer[][] {
  const folder = mkdtempSync(join(tmpdir(), "tmc-tflite-"));
  try {
    const listed = cases.map(({ file, inputs }, i) => {
      const model = join(folder, `${i}.tflite`);
      writeFileSync(model, file);
      return { model, kernels, inputs: inputs.map((input) => Buffer.from(input).toString("base64")) };
    });
    const list = join(folder, "cases.json");
    writeFileSync(list, JSON.stringify(listed));
    writeFileSync(join(folder, "run.py"), program);
    const { status, stdout, stderr } = spawnSync(python, [join(folder, "run.py"), list], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      timeout: 120_000,
    });
    if (status !== 0) {
      throw new Error(`${python} failed (${status ?? "stopped"}): ${stderr.slice(-2000)}`);
    }
    const results = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as string[][];
    return results.map((outputs) => outputs.map((text) => Buffer.from(text, "base64")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
