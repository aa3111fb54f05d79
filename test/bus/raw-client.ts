/** MQTT by hand, for what no well-behaved client does: packets as bytes on a socket. */
import { connect, type Socket } from "node:net";
import { waitFor } from "./connection-contract.js";

export const str = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

export function packet(head: number, ...body: readonly (Buffer | number[])[]): Buffer {
  const bytes = Buffer.concat(body.map((part) => Buffer.from(part as Buffer)));
  const length: number[] = [];
  for (let left = bytes.length; ;) {
    const digit = left & 0x7f;
    left >>= 7;
    length.push(left > 0 ? digit | 0x80 : digit);
    if (left === 0) break;
  }
  return Buffer.concat([Buffer.from([head, ...length]), bytes]);
}

export interface ConnectFields {
  readonly clean?: boolean;
  readonly will?: { readonly topic: string; readonly payload: string; readonly qos?: number };
  readonly username?: string;
  readonly password?: string;
  readonly keepalive?: number;
}

export function connectPacket(id: string, fields: ConnectFields = {}): Buffer {
  const { clean = true, will, username, password, keepalive = 60 } = fields;
  const flags =
    (clean ? 2 : 0) |
    (will === undefined ? 0 : 4 | 0x20 | ((will.qos ?? 1) << 3)) |
    (username === undefined ? 0 : 0x80) |
    (password === undefined ? 0 : 0x40);
  const optional = [will?.topic, will?.payload, username, password].filter((text) => text !== undefined);
  return packet(
    0x10,
    str("MQTT"),
    [4, flags, keepalive >> 8, keepalive & 255],
    str(id),
    ...optional.map((text) => str(text)),
  );
}

/** @param id packet id, with QoS 1 */
export const publishPacket = (
  topic: string,
  payload: string | Buffer,
  qos = 1,
  retain = false,
  id = 7,
): Buffer =>
  packet(
    0x30 | (qos << 1) | (retain ? 1 : 0),
    str(topic),
    qos > 0 ? [id >> 8, id & 255] : [],
    Buffer.from(payload as string),
  );

export const subscribePacket = (filters: readonly string[], qos = 1): Buffer =>
  packet(0x82, [0, 9], ...filters.flatMap((filter) => [str(filter), [qos]]));

/** What came in a PUBLISH packet. */
export interface Received {
  readonly topic: string;
  readonly text: string;
  /** Packet id; 0 with QoS 0. */
  readonly id: number;
  readonly dup: boolean;
}

export class RawClient {
  received = Buffer.alloc(0);
  ended = false;

  private constructor(readonly socket: Socket) {
    socket.on("data", (chunk) => (this.received = Buffer.concat([this.received, chunk])));
    socket.on("error", () => undefined);
    socket.on("close", () => (this.ended = true));
  }

  /** @param from own address; default: the system's choice */
  static async open(port: number, from?: string): Promise<RawClient> {
    const socket = connect({
      port,
      host: "127.0.0.1",
      ...(from === undefined ? {} : { localAddress: from }),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket);
  }

  /** Connected as `id`; the CONNACK is taken out of `received`. @throws Error when refused */
  static async connect(port: number, id: string, fields?: ConnectFields): Promise<RawClient> {
    const client = await RawClient.open(port);
    const code = await client.handshake(id, fields);
    if (code !== 0) throw new Error(`refused with ${code}`);
    return client;
  }

  /** The code of CONNACK; 255: the connection ended without. */
  async handshake(id: string, fields?: ConnectFields): Promise<number> {
    this.socket.write(connectPacket(id, fields));
    await waitFor(() => this.received.length >= 4 || this.ended, "CONNACK");
    const code = this.received.length >= 4 ? (this.received[3] ?? 255) : 255;
    this.received = this.received.subarray(4);
    return code;
  }

  /** The codes of SUBACK. What came before it is dropped. */
  async subscribe(filters: readonly string[]): Promise<number[]> {
    const head = Buffer.from([0x90, filters.length + 2, 0, 9]);
    this.received = Buffer.alloc(0);
    this.socket.write(subscribePacket(filters));
    await waitFor(() => this.received.includes(head) || this.ended, "SUBACK");
    const at = this.received.indexOf(head);
    const codes = [...this.received.subarray(at + 4, at + 4 + filters.length)];
    this.received = this.received.subarray(at + 4 + filters.length);
    return codes;
  }

  /** Complete PUBLISH packets so far, on one topic or all. */
  messages(only?: string): Received[] {
    const found: Received[] = [];
    for (const { head, body } of packetsOf(this.received)) {
      if (head >> 4 !== 3) continue;
      const end = 2 + body.readUInt16BE(0);
      const topic = body.toString("utf8", 2, end);
      const hasId = (head & 6) > 0;
      const id = hasId ? body.readUInt16BE(end) : 0;
      const text = body.toString("utf8", end + (hasId ? 2 : 0));
      if (only === undefined || topic === only) found.push({ topic, text, id, dup: (head & 8) > 0 });
    }
    return found;
  }

  /** QoS 1; resolves with its acknowledgement. `id`: packet id, not used before. */
  async publish(topic: string, text: string, id: number, retain = false): Promise<void> {
    this.socket.write(publishPacket(topic, text, 1, retain, id));
    await waitFor(
      () => packetsOf(this.received).some((p) => p.head === 0x40 && p.body.readUInt16BE(0) === id),
      `PUBACK ${id}`,
    );
  }

  /** Acknowledges them; resolves when the broker has taken that. */
  async acknowledge(ids: readonly number[]): Promise<void> {
    const pongs = (): number => packetsOf(this.received).filter((p) => p.head === 0xd0).length;
    const before = pongs();
    for (const id of ids) this.socket.write(packet(0x40, [id >> 8, id & 255]));
    this.socket.write(packet(0xc0));
    await waitFor(() => pongs() > before, "PINGRESP");
  }

  async untilEnded(timeoutMs?: number): Promise<void> {
    await waitFor(() => this.ended, "end of the connection", timeoutMs);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The complete packets in it. */
function packetsOf(bytes: Buffer): { head: number; body: Buffer }[] {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const head = bytes[at++] ?? 0;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return found;
      length |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) break;
    }
    if (at + length > bytes.length) return found;
    found.push({ head, body: bytes.subarray(at, at + length) });
    at += length;
  }
  return found;
}
