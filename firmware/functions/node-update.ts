/**
 * `node.update` of a minimal node: new firmware comes over the bus into the boot loader's second slot, and the node restarts
 * to try it. The request is made again then: that it arrives is the new firmware's self-test, and the answer says what
 * runs. Firmware that is not asked so returns to the old one: that is the port's and the boot loader's business.
 */
import type { Answer } from "../core/answer.js";
import type { Node } from "../core/node.js";
import { ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";
import { SlotDeploy, failSlot } from "../core/slot-deploy.js";
import { word } from "../std/layout.js";
import { restart, slotBoot, slotConfirm, slotHeader } from "../std/platform.js";
import { SlotKind, SlotState, headerVersion, slotHeaderSize } from "../std/slot.js";

/** An image begins with a header of this size, whose first bytes are these. */
const imageHeadSize = 32;
const imageMagic: u32 = 0x96f3b83d;

export class NodeUpdate extends SlotDeploy {
  private readonly running: Uint8Array = new Uint8Array(slotHeaderSize);
  private booted: boolean = false;
  private onTrial: boolean = false;
  /** The new firmware is in place; what is left to this one is the restart. */
  private restarting: boolean = false;

  /** @setup */
  constructor(node: Node) {
    super("node.update", SlotKind.Firmware, node.transfer(), imageHeadSize);
  }

  override run(request: Request, answer: Answer): boolean {
    if (!this.booted) {
      this.booted = true;
      this.onTrial = slotBoot(SlotKind.Firmware) === SlotState.OnTrial;
    }
    return super.run(request, answer) && !this.restarting;
  }

  override poll(answer: Answer): boolean {
    return !this.restarting && super.poll(answer) && !this.restarting;
  }

  /** A version without a name: the name in the header is that of the board. */
  protected override isWanted(header: Uint8Array, wanted: string): boolean {
    return wanted.length === 0 || wanted === headerVersion(header);
  }

  protected override admit(header: Uint8Array, content: Uint8Array, answer: Answer): boolean {
    if (word(content, 0) !== imageMagic) {
      answer.fail(ErrorCode.BadRequest, "not an image for the boot loader", "input");
      return false;
    }
    if (!this.onTrial || !this.runs(header)) return true;
    // It was reached by who sent it: it is good.
    const problem = slotConfirm(SlotKind.Firmware);
    this.onTrial = problem < 0;
    if (problem < 0) failSlot(problem, answer);
    return problem >= 0;
  }

  /** The answer is the new firmware's to give. */
  protected override activate(_answer: Answer): boolean {
    this.restarting = true;
    restart();
    return false;
  }

  protected override tell(answer: Answer): void {
    slotHeader(SlotKind.Firmware, this.running);
    const writer = answer.beginResult(1);
    writer.writeInt(0);
    writer.writeText(headerVersion(this.running));
  }

  private runs(header: Uint8Array): boolean {
    if (slotHeader(SlotKind.Firmware, this.running) !== slotHeaderSize) return false;
    for (let i = 0; i < slotHeaderSize; i++) {
      if (this.running[i] !== header[i]) return false;
    }
    return true;
  }
}
