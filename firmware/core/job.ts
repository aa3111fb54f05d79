/** A background request that waits or runs: its identity, its message, and the operation that does it. */
import type { Operation } from "./operation.js";
import type { Request } from "./request.js";
import { Ticket } from "./ticket.js";

export class Job {
  /** Null: this slot is free. */
  operation: Operation | null = null;
  readonly ticket: Ticket = new Ticket();
  priority: i32 = 0;
  /** Order of arrival. */
  order: u32 = 0;
  private readonly bytes: Uint8Array;
  private size: i32 = 0;

  /** `capacity`: bytes of the largest message. */
  constructor(capacity: i32) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Keeps a copy of the request. */
  hold(request: Request, operation: Operation, order: u32): void {
    const message = request.message();
    this.bytes.set(message);
    this.size = message.length;
    this.ticket.copyFrom(request.ticket);
    this.operation = operation;
    this.priority = request.priority;
    this.order = order;
  }

  /** The message, borrowed. */
  message(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  /** Should it run before the other? Higher priority first, then first come first served. */
  isBefore(other: Job): boolean {
    if (this.priority !== other.priority) return this.priority > other.priority;
    return ((this.order - other.order) | 0) < 0;
  }
}
