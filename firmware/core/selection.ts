/** Does a request's selector mean this node? Models and functions are the operations' business. */
import { nodeId } from "../std/platform.js";
import type { Request } from "./request.js";

export class Selection {
  /** `labels`: the node's. */
  constructor(private readonly labels: RomArray<string>) {}

  /** The selector names this node or none, and only labels it has. */
  accepts(request: Request): boolean {
    const wanted = request.selectorNode();
    if (wanted.length > 0 && wanted !== nodeId()) return false;
    const count = request.openLabels();
    for (let i = 0; i < count; i++) {
      if (!this.has(request.reader.readText())) return false;
    }
    return true;
  }

  private has(name: string): boolean {
    for (const label of this.labels) {
      if (label === name) return true;
    }
    return false;
  }
}
