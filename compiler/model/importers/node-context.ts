/** A node of a model's graph while it is imported (ONNX, TensorFlow): the errors that name it. What it reads is in the formats' own contexts. */
import { UserError } from "../../diagnostics/user-error.js";
import type { GraphBuilder } from "../import-tfjs-context.js";

export class NodeErrors {
  constructor(
    readonly builder: GraphBuilder,
    readonly model: string,
    readonly name: string,
    readonly type: string,
  ) {}

  /** `model "net", node "conv1" (Conv)`. */
  get where(): string {
    return `model "${this.model}", node "${this.name}" (${this.type})`;
  }

  /** TMC3205: an attribute has a value that is not supported. `value` may be anything printable as JSON. */
  attributeError(attribute: string, value: unknown, supported: string): UserError {
    return new UserError(
      "TMC3205",
      `${this.where}: ${attribute} = ${JSON.stringify(value ?? null)} is not supported`,
      `Supported for ${attribute}: ${supported}.`,
    );
  }

  /** TMC3207: inputs do not fit each other or the attributes. */
  shapeError(problem: string): UserError {
    return new UserError("TMC3207", `${this.where}: ${problem}`, "Export the model again.");
  }

  /** TMC3206: something that graphs of this compiler cannot express. */
  structureError(problem: string, fix: string): UserError {
    return new UserError("TMC3206", `${this.where}: ${problem}`, fix);
  }
}
