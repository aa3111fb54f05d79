/** `model.deploy` of a minimal node: takes a signed model package into the node's slot; it stays when it computes what it says. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import { ErrorCode } from "../core/protocol.js";
import { SlotDeploy } from "../core/slot-deploy.js";
import type { SlotModel } from "../core/slot-model.js";
import { SlotVerdict } from "../core/slot-model.js";
import { PackageReason, packageHeaderSize, packagePlan } from "../std/package.js";
import { nodeId, slotRoom } from "../std/platform.js";
import { SlotKind } from "../std/slot.js";

export class ModelDeploy extends SlotDeploy {
  /** `model`: the slot's, one of the node's models. @setup */
  constructor(
    private readonly node: Node,
    private readonly model: SlotModel,
  ) {
    super("model.deploy", SlotKind.Model, node.transfer(), packageHeaderSize);
  }

  protected override admit(_header: Uint8Array, content: Uint8Array, answer: Answer): boolean {
    const room = slotRoom(SlotKind.Model);
    const reason = packagePlan(content, room, this.model.arenaBytes, this.model.work);
    switch (reason) {
      case PackageReason.Ok:
        return true;
      case PackageReason.WrongKernels:
      case PackageReason.NoKernel:
        answer.fail(ErrorCode.DescriptorMismatch, "this node lacks a kernel of it", "input.kernels");
        return false;
      case PackageReason.TooLarge:
        answer.fail(ErrorCode.NoSpace, "larger than the slot");
        return false;
      case PackageReason.TooMuchRam:
        answer.fail(ErrorCode.NoSpace, "it needs more RAM than this node has for it");
        return false;
      case PackageReason.TooMuchWork:
        answer.fail(ErrorCode.DescriptorMismatch, "too much work for this node", "input.work");
        return false;
      default:
        answer.fail(ErrorCode.BadRequest, "not a model package", "input");
        return false;
    }
  }

  protected override activate(answer: Answer): boolean {
    const verdict = this.model.settle();
    this.node.announce();
    switch (verdict) {
      case SlotVerdict.Fine:
        return true;
      case SlotVerdict.Unfit:
        answer.fail(ErrorCode.DescriptorMismatch, "not a model that this node can run", "input");
        return false;
      case SlotVerdict.TooMuchToTell:
        answer.fail(ErrorCode.TooLarge, "what it says of itself is too long", "input.labels");
        return false;
      case SlotVerdict.Wrong:
        answer.fail(ErrorCode.Corrupt, "it does not compute what it says: its self-test failed");
        return false;
    }
  }

  protected override tell(answer: Answer): void {
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.beginArray(1);
    writer.writeText(nodeId());
  }
}
