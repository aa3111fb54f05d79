/**
 * What a node can be asked to do. One that answers at once implements `run` only. One that takes its time (samples,
 * long computations in steps) also says so in `inBackground`, and is then polled; the node runs one such at a time.
 */
import type { Answer } from "./answer.js";
import type { Request } from "./request.js";

export abstract class Operation {
  /** As in requests, e.g. "data.collect". */
  constructor(readonly name: string) {}

  /**
   * Reads what it needs of the request and writes result and output, or an error, to the answer.
   * True: the answer is complete. False (only in the background): `poll` goes on; the request is gone by then.
   */
  abstract run(request: Request, answer: Answer): boolean;

  /** Does this request need more than one step? */
  inBackground(_request: Request): boolean {
    return false;
  }

  /** Can it not be taken now, whatever the request? Then the sender may try again. */
  isBusy(): boolean {
    return false;
  }

  /** The next step. True: the answer is complete. */
  poll(_answer: Answer): boolean {
    return true;
  }

  /** The deadline passed or a step trapped: release what is held. */
  abort(): void {}

  /** A guess of the milliseconds until a running request is done, for `retryAfterMs`. */
  remainingMs(): u32 {
    return 100;
  }
}

/** An operation made of a function. */
export class FunctionOperation extends Operation {
  constructor(
    name: string,
    private readonly handler: (request: Request, answer: Answer) => void,
  ) {
    super(name);
  }

  override run(request: Request, answer: Answer): boolean {
    this.handler(request, answer);
    return true;
  }
}
