/**
 * Several servers of one id behind one broker share the work: each request is claimed by one of them. Here is what the
 * Core Service asks; without a coordinator every request is its own.
 */

export interface Coordinator {
  /** `identityKey`: sender/boot/id. "other": another worker has it, or had it. */
  claim(identityKey: string): Promise<"mine" | "other">;
  /** The terminal answer to what was claimed; resolves when it is kept. */
  finished(identityKey: string, answer: Uint8Array): Promise<void>;
  /** The terminal answer that any worker gave. */
  cached(identityKey: string): Promise<Uint8Array | undefined>;
}
