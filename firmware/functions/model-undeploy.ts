/** `model.undeploy` of a minimal node: the model in its slot does not run again, and its counter counts on. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import { Operation } from "../core/operation.js";
import { ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";
import { failSlot } from "../core/slot-deploy.js";
import type { SlotModel } from "../core/slot-model.js";
import { nodeId, slotRemove } from "../std/platform.js";
import { SlotKind } from "../std/slot.js";

export class ModelUndeploy extends Operation {
  constructor(
    private readonly node: Node,
    private readonly model: SlotModel,
  ) {
    super("model.undeploy");
  }

  /** After what is sampling for the model. */
  override inBackground(_request: Request): boolean {
    return true;
  }

  override run(request: Request, answer: Answer): boolean {
    const name = request.textArgument(0, "");
    if (!request.argumentsOk() || name.length === 0) {
      answer.fail(ErrorCode.BadRequest, "names a model", "arguments");
      return true;
    }
    if (!this.model.isNamed(name)) {
      answer.fail(ErrorCode.NotFound, "no such model in the slot", "arguments");
      return true;
    }
    const problem = slotRemove(SlotKind.Model);
    if (problem < 0) {
      failSlot(problem, answer);
      return true;
    }
    this.model.settle();
    this.node.announce();
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.beginArray(1);
    writer.writeText(nodeId());
    return true;
  }
}
