/**
 * What QuantizeLinear and DequantizeLinear nodes say about activations. In a graph of float operators between such nodes (QDQ)
 * each pair only says with which scale and zero point a tensor is held in int8; the operators stay the same.
 */
import { UserError } from "../../../diagnostics/user-error.js";

export interface Int8Parameters {
  readonly scale: number;
  /** Of the int8 form: that of uint8 models minus 128. */
  readonly zeroPoint: number;
}

/** TMC3212: something that int8 arithmetic as TFLite defines it cannot do exactly. */
export function notExact(where: string, problem: string, fix: string): UserError {
  return new UserError("TMC3212", `${where}: ${problem}`, fix);
}

export class QuantisationNotes {
  /** By tensor of the graph that is built. */
  private readonly noted = new Map<number, Int8Parameters>();

  get used(): boolean {
    return this.noted.size > 0;
  }

  of(tensor: number): Int8Parameters | undefined {
    return this.noted.get(tensor);
  }

  /** Notes how `tensor` is held; another note on the same tensor must agree. */
  note(tensor: number, parameters: Int8Parameters, where: string): void {
    const known = this.noted.get(tensor);
    if (
      known !== undefined &&
      (known.scale !== parameters.scale || known.zeroPoint !== parameters.zeroPoint)
    ) {
      throw notExact(
        where,
        `the tensor has scale ${known.scale}, zero point ${known.zeroPoint} already, and cannot have ${parameters.scale}, ${parameters.zeroPoint} as well`,
        "Quantise the model so that each tensor has one scale.",
      );
    }
    this.noted.set(tensor, parameters);
  }
}
