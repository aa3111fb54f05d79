/** What the parts of the fake node share: which fault it has, how it refuses, what it answers with. */

/** Is this the fault that it has? */
export type Is = (fault: string) => boolean;

/** Entries of an answer's map by their keys. */
export type Reply = Readonly<Record<number, unknown>>;

export class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly field?: string,
    readonly retryAfterMs?: number,
  ) {
    super(`${code}`);
  }
}
