/**
 * Messages on topic c as they are read: a piece of something, a node's wish for pieces, or a server's word that there are
 * none. Keeps and sends nothing.
 */
import type { SubsetReader } from "./subset.js";

export interface ChunkMessage {
  /** SHA-256 of the whole, hexadecimal. */
  readonly digest: string;
  readonly offset: number;
  /** Of the whole. */
  readonly total: number;
  /** Only in a piece. */
  readonly bytes: Uint8Array | undefined;
  /** Bytes that are wished from the offset on; 0 in others. */
  readonly wanted: number;
  /** Why there are no pieces, a code of the closed set; 0 in others. */
  readonly ended: number;
  /** Who states to have sent it; "" when it states nobody. */
  readonly from: string;
}

const digestBytes = 32;

/** Undefined for what is none of these. The bytes are those of the payload, not a copy. */
export function readChunkMessage(reader: SubsetReader, payload: Uint8Array): ChunkMessage | undefined {
  reader.load(payload);
  let [version, offset, total, wanted, ended] = [0, -1, -1, 0, 0];
  let digest: Uint8Array | undefined;
  let bytes: Uint8Array | undefined;
  let from = "";
  const pairs = reader.readMap();
  for (let i = 0; i < pairs && !reader.failed; i++) {
    const key = reader.readInt();
    if (key === 0) version = reader.readUint();
    else if (key === 1) digest = reader.readBytes();
    else if (key === 2) offset = reader.readUint();
    else if (key === 3) total = reader.readUint();
    else if (key === 4) bytes = reader.readBytes();
    else if (key === 5) from = reader.readText();
    else if (key === 6) wanted = reader.readUint();
    else if (key === 7) ended = reader.readUint();
    else reader.skip();
  }
  const sane = reader.finished() && version === 1 && offset >= 0 && digest?.length === digestBytes;
  if (!sane || digest === undefined) return undefined;
  const piece = bytes !== undefined && bytes.length > 0 && total > 0;
  const wish = bytes === undefined && wanted > 0 && from !== "";
  const end = bytes === undefined && !wish && ended > 0 && from !== "";
  if (!piece && !wish && !end) return undefined;
  return {
    digest: Buffer.from(digest).toString("hex"),
    offset,
    total,
    bytes,
    wanted: wish ? wanted : 0,
    ended: end ? ended : 0,
    from,
  };
}
