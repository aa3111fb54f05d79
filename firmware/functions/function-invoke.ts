/**
 * `function.invoke`: calls a function of the image, or of a slot, on inline data. It checks descriptors before it computes
 * and names the field that does not fit; a trap of the function ends the request as function-failed.
 */
import type { Answer } from "../core/answer.js";
import { mismatch } from "../core/fits.js";
import type { OfferedFunction } from "../core/offered-function.js";
import { Operation } from "../core/operation.js";
import { ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";

/** A multiple of every element's width. */
const chunkBytes = 64;

export class FunctionInvoke extends Operation {
  private readonly chunk: Uint8Array = new Uint8Array(chunkBytes);

  /** At least one. Requests name the one they mean. @setup */
  constructor(private readonly offered: RomArray<OfferedFunction>) {
    super("function.invoke");
  }

  override run(request: Request, answer: Answer): boolean {
    const found = this.select(request.selector());
    if (found === null) {
      answer.fail(ErrorCode.NotFound, "no such function", "selector");
      return true;
    }
    if (!request.hasBytes) {
      answer.fail(ErrorCode.BadRequest, "needs bytes", "input");
      return true;
    }
    let misfit = mismatch(found.outputOffer(), request.accepted);
    if (misfit.length > 0) {
      answer.failWithin(ErrorCode.DescriptorMismatch, "", "accept", misfit);
      return true;
    }
    misfit = mismatch(request.offered, found.inputNeed());
    if (misfit.length > 0) {
      answer.failWithin(ErrorCode.DescriptorMismatch, "", "input", misfit);
      return true;
    }
    const bytes = request.bytes();
    if (!found.takes(bytes.length)) {
      answer.fail(ErrorCode.DescriptorMismatch, "not as long as its shape", "input.bytes");
      return true;
    }
    const size = found.invoke(bytes);
    if (size < 0) {
      answer.fail(ErrorCode.FunctionFailed, found.failure());
      answer.failDetail(4, u32(-size));
      answer.failDetail(5, found.failureSite());
      return true;
    }
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.writeText(found.identity());
    answer.beginOutput(size);
    for (let at = 0; at < size; at += chunkBytes) {
      const part = this.chunk.subarray(0, Math.min(chunkBytes, size - at));
      found.store(at, part);
      writer.writeRaw(part);
    }
    answer.outputDescriptor(found.given);
    return true;
  }

  private select(selector: string): OfferedFunction | null {
    for (const one of this.offered) {
      if (one.isNamed(selector)) return one;
    }
    return null;
  }
}
