/** Who asked, under which number, and when: what an answer needs of its request, in a form that can be kept. */
import { TextBuffer } from "../std/text-buffer.js";
import { maxNodeId } from "./protocol.js";

export class Ticket {
  id: u32 = 0;
  /** The sender's boot counter. */
  boot: u32 = 0;
  readonly sender: TextBuffer = new TextBuffer(maxNodeId);
  arrivedUs: u32 = 0;
  startedUs: u32 = 0;
  /** On the clock of `clockMs`. */
  deadlineAtMs: u32 = 0;

  copyFrom(other: Ticket): void {
    this.id = other.id;
    this.boot = other.boot;
    this.sender.assign(other.sender.toString());
    this.arrivedUs = other.arrivedUs;
    this.deadlineAtMs = other.deadlineAtMs;
  }

  isSameRequest(other: Ticket): boolean {
    return (
      this.id === other.id && this.boot === other.boot && this.sender.toString() === other.sender.toString()
    );
  }

  /** Milliseconds until the deadline; 0 or less when it has passed. */
  leftMs(nowMs: u32): i32 {
    return (this.deadlineAtMs - nowMs) | 0;
  }
}

/** 1 to 23 characters of [0-9a-z-]. */
export function isNodeId(text: string): boolean {
  if (text.length === 0 || text.length > maxNodeId) return false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const ok = (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x2d;
    if (!ok) return false;
  }
  return true;
}
