/**
 * Empties a slot: what is in it does not run again, and its counter counts on. Whether the name is that of what is in it, and
 * what follows, the kind's own operation says.
 */
import { slotRemove } from "../std/platform.js";
import type { SlotKind } from "../std/slot.js";
import type { Answer } from "./answer.js";
import { Operation } from "./operation.js";
import { ErrorCode } from "./protocol.js";
import type { Request } from "./request.js";
import { failSlot } from "./slot-deploy.js";

export abstract class SlotRemove extends Operation {
  /** `unnamed`, `unknown`: what is wrong with a request that names nothing, or something else. @setup */
  constructor(
    name: string,
    private readonly kind: SlotKind,
    private readonly unnamed: string,
    private readonly unknown: string,
  ) {
    super(name);
  }

  protected abstract isInSlot(name: string): boolean;

  /** The slot is empty: the node lets go of what was in it. Writes the result. */
  protected abstract removed(answer: Answer): void;

  /** After what is sampling for it, or being taken in. */
  override inBackground(_request: Request): boolean {
    return true;
  }

  override run(request: Request, answer: Answer): boolean {
    const name = request.textArgument(0, "");
    if (!request.argumentsOk() || name.length === 0) {
      answer.fail(ErrorCode.BadRequest, this.unnamed, "arguments");
      return true;
    }
    if (!this.isInSlot(name)) {
      answer.fail(ErrorCode.NotFound, this.unknown, "arguments");
      return true;
    }
    const problem = slotRemove(this.kind);
    if (problem < 0) failSlot(problem, answer);
    else this.removed(answer);
    return true;
  }
}
