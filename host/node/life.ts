/** The life of a node as orders change it: running, draining, drained, stopping. It ends no part itself. */
import type { CoreService } from "./core/core-service.js";
import type { Log } from "./log.js";
import type { NodeState } from "./management/parts.js";
import type { ControlAction } from "./operations/node-operations.js";

/** What runs when draining begins may take as long as the longest deadline. */
const longestDrainMs = 3_600_000;
/** The answer to the order gets out before the end begins. */
const answerMs = 200;

export class NodeLife {
  state: NodeState = "running";
  readonly ended: Promise<"stop" | "restart">;
  private end: (how: "stop" | "restart") => void = () => undefined;

  constructor(
    private readonly core: Pick<CoreService, "drain" | "resume">,
    private readonly log: Log,
  ) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** For node.control. Tells the state that follows. */
  async control(action: ControlAction): Promise<string> {
    switch (action) {
      case "drain":
        void this.drain();
        return this.state;
      case "resume":
        return this.resume();
      case "restart":
        this.finish("restart");
        return "restarting";
      case "identify":
        return this.state;
    }
  }

  /** Resolves when nothing runs any more, or when it was resumed meanwhile. */
  async drain(): Promise<void> {
    if (this.state !== "running") return;
    this.state = "draining";
    this.log.info({ module: "node" }, "draining: takes nothing new");
    await this.core.drain(longestDrainMs);
    if (this.drains()) this.state = "drained";
  }

  resume(): string {
    if (this.state !== "stopping") {
      this.state = "running";
      this.core.resume();
    }
    return this.state;
  }

  finish(how: "stop" | "restart"): void {
    this.state = "stopping";
    setTimeout(() => this.end(how), answerMs);
  }

  private drains(): boolean {
    return this.state === "draining";
  }
}
