/**
 * The workers of one server: who of them lives, who owns a request, and which terminal answer it got. It sends nothing
 * on the bus.
 */
import { createHash } from "node:crypto";

export interface Settled {
  /** It is this answer, and nobody settled one before. */
  readonly first: boolean;
  readonly answer: Uint8Array;
}

export interface WorkerGroup {
  /** Of this worker. */
  readonly id: string;
  /** Workers that live, sorted; this one is among them while it takes part. */
  live(): readonly string[];
  onChange(listener: () => void): void;
  /** False: this worker cannot reach the bus, so others must own its requests. */
  takePart(able: boolean): Promise<void>;
  /** The terminal answer that any worker settled on. */
  settled(request: string): Promise<Uint8Array | undefined>;
  /** Settles the terminal answer to a request, once for all workers; tells the one that counts. */
  settle(request: string, answer: Uint8Array): Promise<Settled>;
  close(): Promise<void>;
}

/** Rendezvous hashing: when a worker goes, only its own requests get another owner. */
export function ownerOf(request: string, workers: readonly string[]): string | undefined {
  let owner: string | undefined;
  let highest = "";
  for (const worker of workers) {
    const weight = createHash("sha1").update(`${worker}\n${request}`).digest("hex");
    if (owner === undefined || weight > highest) [owner, highest] = [worker, weight];
  }
  return owner;
}
