/**
 * References to data: what stands in a request's input or an answer's output in place of bytes.
 *   sensor:<name>              a fresh window of that sensor of the executing node
 *   chunk:<digest>             assembled from chunks that were sent on the bus
 *   blob:<digest>              content of the server's storage
 *   data:<name>[/<usage>]      the items of a data set of the server
 *   model:<name>[@<version>]   the bytes of a model of the server
 * Names are those of the protocol, so no reference leads out of the place it names.
 */

const patterns = {
  sensor: /^[a-z0-9._-]{1,32}$/,
  chunk: /^[0-9a-f]{64}$/,
  blob: /^[0-9a-f]{64}$/,
  data: /^[a-z0-9._-]{1,32}(\/(training|test|validation|calibration|inference))?$/,
  model: /^[a-z0-9._-]{1,32}(@[0-9A-Za-z.+_-]{1,32})?$/,
} as const;

export type ReferenceKind = keyof typeof patterns;

export interface Reference {
  readonly kind: ReferenceKind;
  /** What follows the colon. */
  readonly target: string;
}

/** Undefined for text that is no reference of these. */
export function parseReference(text: string): Reference | undefined {
  const colon = text.indexOf(":");
  const kind = text.slice(0, colon) as ReferenceKind;
  const target = text.slice(colon + 1);
  return colon > 0 && Object.hasOwn(patterns, kind) && patterns[kind].test(target)
    ? { kind, target }
    : undefined;
}

export function referenceTo(kind: ReferenceKind, target: string): string {
  return `${kind}:${target}`;
}
