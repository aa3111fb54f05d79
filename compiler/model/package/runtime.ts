/** Executes a package on Node.js: the same bits as `tmc_package_run`. */
import { executeLayer } from "../runtime.js";
import type { Layer } from "../layers.js";
import type { ModelPackage, PackageStep } from "./read.js";

export class PackageRuntime {
  /** `arena`: of at least the bytes that the package says. */
  constructor(
    private readonly model: ModelPackage,
    private readonly arena: Int8Array = new Int8Array(model.arenaBytes),
  ) {}

  /** The outputs for inputs of the sizes that the package says. */
  run(inputs: readonly Int8Array[]): Int8Array[] {
    this.model.inputs.forEach(({ offset, bytes }, i) => {
      this.arena.set((inputs[i] ?? new Int8Array()).subarray(0, bytes), offset);
    });
    this.invoke();
    return this.model.outputs.map(({ offset, bytes }) => this.arena.slice(offset, offset + bytes));
  }

  /** From the inputs that are in the arena to the outputs there. */
  invoke(): void {
    for (const step of this.model.steps) {
      this.execute(step);
    }
  }

  /** Whether the package computes the outputs that it holds; true if it holds none. */
  selfTest(): boolean {
    const { golden, inputs } = this.model;
    if (golden.length === 0) {
      return true;
    }
    let at = 0;
    const next = (bytes: number): Int8Array => golden.subarray(at, (at += bytes));
    const outputs = this.run(inputs.map(({ bytes }) => next(bytes)));
    return outputs.every((output) => {
      const expected = next(output.length);
      return output.every((value, i) => value === expected[i]);
    });
  }

  /** Kernels may write where they have read: inputs are copied, and only what the layer writes is kept. */
  private execute({ layer, tensors }: PackageStep): void {
    const views = tensors.map(({ inPackage, offset }, i) => {
      const { bytes } = this.model;
      const memory = inPackage ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : this.arena;
      if (i === 0) {
        const written = writtenBytes(layer);
        return memory.subarray(offset, written === undefined ? undefined : offset + written);
      }
      return memory.slice(offset, layer.kind === "Reshape" ? offset + layer.count : undefined);
    });
    executeLayer(layer, (tensor) => views[tensor] ?? new Int8Array());
  }
}

/** What a layer that sets its whole output writes; undefined for the others, which write by position. */
function writtenBytes(layer: Layer): number | undefined {
  return layer.kind === "Reshape" || layer.kind === "Move" ? layer.count || undefined : undefined;
}
