/** `node.monitor`: answers with uptime, boots, reset reason, error flags and counters. */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import { Operation } from "../core/operation.js";
import type { Request } from "../core/request.js";

export class NodeMonitor extends Operation {
  constructor(private readonly node: Node) {
    super("node.monitor");
  }

  override run(request: Request, answer: Answer): boolean {
    this.node.writeStatus(answer.openResult());
    return true;
  }
}
