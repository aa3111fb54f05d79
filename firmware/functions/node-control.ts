/**
 * `node.control` of a minimal node: restarts it, or lets it show which one it is by blinking. A minimal node has nothing to
 * drain: it finishes or refuses each request by its deadline anyway.
 */
import type { Actuator } from "../core/actuator.js";
import type { Answer } from "../core/answer.js";
import { Operation } from "../core/operation.js";
import { ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";
import { clockMs, restart } from "../std/platform.js";

const blinks = 10;
const halfBlinkMs: u32 = 150;

export class NodeControl extends Operation {
  /** Changes of the light still to come. */
  private left: i32 = 0;
  private changedAtMs: u32 = 0;

  /** `light`: what blinks; null: "identify" is refused. */
  constructor(private readonly light: Actuator | null = null) {
    super("node.control");
  }

  override inBackground(request: Request): boolean {
    return this.light !== null && request.textArgument(0, "") === "identify";
  }

  override run(request: Request, answer: Answer): boolean {
    const action = request.textArgument(0, "");
    const light = this.light;
    if (!request.argumentsOk()) {
      answer.fail(ErrorCode.BadRequest, "", "arguments");
    } else if (action === "restart") {
      this.tell(answer, "restarting");
      restart();
    } else if (action === "identify" && light !== null && light.set(light.most)) {
      this.left = 2 * blinks - 1;
      this.changedAtMs = clockMs();
      return false;
    } else {
      answer.fail(ErrorCode.BadRequest, "not an action of this node", "arguments.action");
    }
    return true;
  }

  override poll(answer: Answer): boolean {
    const light = this.light;
    if (light !== null && this.left > 0) {
      if ((clockMs() - this.changedAtMs) >>> 0 < halfBlinkMs) return false;
      this.changedAtMs = clockMs();
      this.left--;
      light.set(this.left % 2 === 1 ? light.most : light.least);
      if (this.left > 0) return false;
    }
    this.tell(answer, "running");
    return true;
  }

  override abort(): void {
    if (this.light !== null && this.left > 0) this.light.set(this.light.least);
    this.left = 0;
  }

  override remainingMs(): u32 {
    return u32(this.left) * halfBlinkMs;
  }

  private tell(answer: Answer, state: string): void {
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.writeText(state);
  }
}
