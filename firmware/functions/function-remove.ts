/** `function.remove` of a minimal node: the function in its slot does not run again, and its counter counts on. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import type { SlotFunction } from "../core/slot-function.js";
import { SlotRemove } from "../core/slot-remove.js";
import { SlotKind } from "../std/slot.js";

export class FunctionRemove extends SlotRemove {
  /** `slot`: one of the node's functions. @setup */
  constructor(
    private readonly node: Node,
    private readonly slot: SlotFunction,
  ) {
    super("function.remove", SlotKind.Function, "names a function", "no such function in the slot");
  }

  protected override isInSlot(name: string): boolean {
    return this.slot.isNamed(name);
  }

  protected override removed(answer: Answer): void {
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.writeText(this.slot.identity());
    this.slot.settle();
    this.node.announce();
  }
}
