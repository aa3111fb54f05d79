/**
 * A broker that is an enemy: it takes one node, acknowledges what the node sends, and sends it whatever it is told to: any
 * topic, any payload, any bytes. Plain MQTT 3.1.1 on loopback; nobody else can join.
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Bytes of "remaining length". */
function lengthOf(size: number): number[] {
  const bytes: number[] = [];
  let left = size;
  do {
    bytes.push((left % 128) + (left > 127 ? 128 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return bytes;
}

const packet = (head: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(head, ...lengthOf(body.length)), body]);
};

/** A PUBLISH; `id`: of QoS 1, undefined: QoS 0. */
export function publishPacket(topic: Buffer, payload: Uint8Array, id?: number): Buffer {
  const size = Buffer.of(topic.length >> 8, topic.length & 0xff);
  const number = id === undefined ? Buffer.alloc(0) : Buffer.of(id >> 8, id & 0xff);
  return packet(id === undefined ? 0x30 : 0x32, size, topic, number, Buffer.from(payload));
}

export class HostileBroker {
  /** Sessions that the node began. */
  sessions = 0;
  private socket: Socket | undefined;
  private rest = Buffer.alloc(0);
  private readonly watchers = new Set<(topic: string, payload: Buffer) => void>();

  private constructor(private readonly server: Server) {
    server.on("connection", (socket) => this.take(socket));
  }

  static async start(): Promise<HostileBroker> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HostileBroker(server);
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Calls `heard` for what the node publishes; gives how to stop that. */
  onMessage(heard: (topic: string, payload: Buffer) => void): () => void {
    this.watchers.add(heard);
    return () => this.watchers.delete(heard);
  }

  /** Sends bytes as they are, after what was sent before. False: there is no connection. */
  async send(bytes: Buffer): Promise<boolean> {
    const { socket } = this;
    if (socket === undefined || socket.destroyed) return false;
    if (!socket.write(bytes)) {
      await new Promise<void>((done) => {
        socket.once("drain", done);
        socket.once("close", () => done());
      });
    }
    return true;
  }

  cut(): void {
    this.socket?.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }

  private take(socket: Socket): void {
    this.socket?.destroy();
    this.socket = socket;
    this.rest = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      this.rest = Buffer.concat([this.rest, bytes]);
      while (this.serve(socket));
    });
  }

  /** Answers one whole packet of the node; false: there is none. */
  private serve(socket: Socket): boolean {
    let size = 0;
    let at = 1;
    for (let shift = 0; ; shift += 7) {
      const byte = this.rest[at++];
      if (byte === undefined) return false;
      size += (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (this.rest.length < at + size) return false;
    const head = this.rest[0] ?? 0;
    const body = this.rest.subarray(at, at + size);
    this.rest = this.rest.subarray(at + size);
    const type = head >> 4;
    if (type === 1) {
      this.sessions++;
      socket.write(packet(0x20, Buffer.of(0, 0)));
    } else if (type === 3) {
      const end = 2 + body.readUInt16BE(0);
      const qos = (head >> 1) & 3;
      if (qos === 1) socket.write(packet(0x40, body.subarray(end, end + 2)));
      const topic = body.toString("utf8", 2, end);
      for (const watch of this.watchers) watch(topic, body.subarray(end + (qos > 0 ? 2 : 0)));
    } else if (type === 8) {
      socket.write(packet(0x90, body.subarray(0, 2), Buffer.of(1)));
    } else if (type === 12) {
      socket.write(packet(0xd0));
    }
    return true;
  }
}
