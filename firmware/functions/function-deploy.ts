/** `function.deploy` of a minimal node: takes a signed function image into the node's slot; it stays when it computes what it says. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import { ErrorCode } from "../core/protocol.js";
import { SlotDeploy } from "../core/slot-deploy.js";
import type { SlotFunction } from "../core/slot-function.js";
import { SlotVerdict } from "../core/slot-model.js";
import { FunctionReason, functionHeaderSize } from "../std/function-image.js";
import { slotHeader } from "../std/platform.js";
import { SlotKind, headerDigestDigit, slotHeaderSize } from "../std/slot.js";

/** Hexadecimal digits of a digest. */
const digits = 64;

export class FunctionDeploy extends SlotDeploy {
  private readonly header: Uint8Array = new Uint8Array(slotHeaderSize);
  private readonly hex: Uint8Array = new Uint8Array(digits);

  /** `slot`: one of the node's functions. @setup */
  constructor(
    private readonly node: Node,
    private readonly slot: SlotFunction,
  ) {
    super("function.deploy", SlotKind.Function, node.transfer(), functionHeaderSize);
  }

  /** The argument is the digest that the image must have. */
  protected override isWanted(header: Uint8Array, wanted: string): boolean {
    if (wanted.length === 0) return true;
    if (wanted.length !== digits) return false;
    for (let i = 0; i < digits; i++) {
      if (wanted.charCodeAt(i) !== headerDigestDigit(header, i)) return false;
    }
    return true;
  }

  protected override admit(_header: Uint8Array, content: Uint8Array, answer: Answer): boolean {
    switch (this.slot.plan(content)) {
      case FunctionReason.Ok:
        return true;
      case FunctionReason.WrongAbi:
      case FunctionReason.WrongFormat:
        answer.fail(ErrorCode.DescriptorMismatch, "of another ABI than this firmware's", "input.abi");
        return false;
      case FunctionReason.WrongMachine:
        answer.fail(ErrorCode.DescriptorMismatch, "not for the processor of this node", "input.machine");
        return false;
      case FunctionReason.NoImport:
        answer.fail(
          ErrorCode.Forbidden,
          "it declares an import that this node does not have",
          "input.imports",
        );
        return false;
      case FunctionReason.TooLarge:
        answer.fail(ErrorCode.NoSpace, "larger than the slot");
        return false;
      case FunctionReason.TooMuchRam:
        answer.fail(ErrorCode.NoSpace, "it needs more RAM than this node has for it");
        return false;
      case FunctionReason.TooMuchStack:
        answer.fail(ErrorCode.NoSpace, "it needs more stack than this node has for it");
        return false;
      case FunctionReason.TooMuchOutput:
        answer.fail(ErrorCode.NoSpace, "its output is larger than this node has room for");
        return false;
      default:
        answer.fail(ErrorCode.BadRequest, "not a function image", "input");
        return false;
    }
  }

  protected override activate(answer: Answer): boolean {
    const verdict = this.slot.settle();
    this.node.announce();
    switch (verdict) {
      case SlotVerdict.Fine:
        return true;
      case SlotVerdict.Unfit:
        answer.fail(ErrorCode.DescriptorMismatch, "not a function that this node can call", "input");
        return false;
      case SlotVerdict.TooMuchToTell:
        answer.fail(ErrorCode.TooLarge, "what it says of itself is too long", "input");
        return false;
      case SlotVerdict.Wrong:
        answer.fail(ErrorCode.Corrupt, "it does not compute what it says: its self-test failed");
        return false;
    }
  }

  protected override tell(answer: Answer): void {
    slotHeader(SlotKind.Function, this.header);
    for (let i = 0; i < digits; i++) this.hex[i] = headerDigestDigit(this.header, i) & 0xff;
    const writer = answer.beginResult(2);
    writer.writeInt(0);
    writer.writeText(this.slot.identity());
    writer.writeInt(1);
    writer.beginText(digits);
    writer.writeRaw(this.hex);
  }
}
