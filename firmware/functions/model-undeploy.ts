/** `model.undeploy` of a minimal node: the model in its slot does not run again, and its counter counts on. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import type { SlotModel } from "../core/slot-model.js";
import { SlotRemove } from "../core/slot-remove.js";
import { nodeId } from "../std/platform.js";
import { SlotKind } from "../std/slot.js";

export class ModelUndeploy extends SlotRemove {
  /** `model`: the slot's, one of the node's models. @setup */
  constructor(
    private readonly node: Node,
    private readonly model: SlotModel,
  ) {
    super("model.undeploy", SlotKind.Model, "names a model", "no such model in the slot");
  }

  protected override isInSlot(name: string): boolean {
    return this.model.isNamed(name);
  }

  protected override removed(answer: Answer): void {
    this.model.settle();
    this.node.announce();
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.beginArray(1);
    writer.writeText(nodeId());
  }
}
