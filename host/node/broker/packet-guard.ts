/**
 * Follows the framing of the bytes a client sends, before anything is buffered for it: sizes, and how many packets
 * there are. It does not look into packets.
 */

export interface PacketLimits {
  /** Bytes of a PUBLISH packet, and of any other (CONNECT, SUBSCRIBE …). */
  readonly publishBytes: number;
  readonly otherBytes: number;
}

const connect = 1;
const publish = 3;

export class PacketGuard {
  /** Complete packets so far. */
  packets = 0;
  private type = 0;
  /** Bytes of the packet still to come; -1: in its head. */
  private remaining = -1;
  private length = 0;
  /** Bytes of the length read; -1: the first byte of the packet is next. */
  private lengthBytes = -1;

  constructor(private readonly limits: PacketLimits) {}

  /** In the middle of a packet? */
  get incomplete(): boolean {
    return this.lengthBytes >= 0 || this.remaining > 0;
  }

  /** Undefined: go on. */
  push(chunk: Uint8Array): "oversized" | "malformed" | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.remaining > 0) {
        const taken = Math.min(this.remaining, chunk.length - at);
        this.remaining -= taken;
        at += taken;
      } else {
        const byte = chunk[at++] ?? 0;
        if (this.lengthBytes < 0) {
          this.type = byte >> 4;
          if (this.type === 0 || this.type === 15) return "malformed";
          // Whoever it is, MQTT begins with CONNECT.
          if (this.packets === 0 && this.type !== connect) return "malformed";
          this.length = 0;
          this.lengthBytes = 0;
          continue;
        }
        this.length += (byte & 0x7f) * 128 ** this.lengthBytes;
        this.lengthBytes++;
        const limit = this.type === publish ? this.limits.publishBytes : this.limits.otherBytes;
        if (this.length > limit) return "oversized";
        if ((byte & 0x80) !== 0) {
          if (this.lengthBytes === 4) return "malformed";
          continue;
        }
        this.remaining = this.length;
        this.lengthBytes = -1;
      }
      if (this.remaining === 0) {
        this.remaining = -1;
        this.packets++;
      }
    }
    return undefined;
  }
}
