/** `function.remove` of a minimal node: the function in its slot does not run again, and its counter counts on. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import { Operation } from "../core/operation.js";
import { ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";
import { failSlot } from "../core/slot-deploy.js";
import type { SlotFunction } from "../core/slot-function.js";
import { slotRemove } from "../std/platform.js";
import { SlotKind } from "../std/slot.js";

export class FunctionRemove extends Operation {
  constructor(
    private readonly node: Node,
    private readonly slot: SlotFunction,
  ) {
    super("function.remove");
  }

  /** After what is being taken in. */
  override inBackground(_request: Request): boolean {
    return true;
  }

  override run(request: Request, answer: Answer): boolean {
    const name = request.textArgument(0, "");
    if (!request.argumentsOk() || name.length === 0) {
      answer.fail(ErrorCode.BadRequest, "names a function", "arguments");
      return true;
    }
    if (!this.slot.isNamed(name)) {
      answer.fail(ErrorCode.NotFound, "no such function in the slot", "arguments");
      return true;
    }
    const problem = slotRemove(SlotKind.Function);
    if (problem < 0) {
      failSlot(problem, answer);
      return true;
    }
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.writeText(this.slot.identity());
    this.slot.settle();
    this.node.announce();
    return true;
  }
}
