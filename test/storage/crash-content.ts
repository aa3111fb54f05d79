/** What the processes of the crash tests write: any value follows from its name, so that it can be judged later. */
import { createHash } from "node:crypto";

/** Bytes that belong to `label`; their number follows from it too, up to `most`. */
export function contentOf(label: string, most: number): Buffer {
  const seed = createHash("sha256").update(label).digest();
  const bytes = Buffer.alloc(seed.readUInt32LE(0) % (most + 1));
  for (let at = 0; at < bytes.length; at += seed.length) seed.copy(bytes, at);
  return bytes;
}

export const mostRecord = 6000;
export const mostBlob = 300_000;
/** A record or blob of number n is removed when n + this has been written. */
export const lifetime = 40;
