/** `node.describe`: answers with the birth record. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import { Operation } from "../core/operation.js";
import type { Request } from "../core/request.js";

export class NodeDescribe extends Operation {
  constructor(private readonly node: Node) {
    super("node.describe");
  }

  override run(request: Request, answer: Answer): boolean {
    this.node.writeBirth(answer.openResult());
    return true;
  }
}
