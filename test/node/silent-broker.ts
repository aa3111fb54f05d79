/** A server that accepts MQTT connections and sends what it is told, but acknowledges nothing: for a node's limits. */
import { createServer, type Server, type Socket } from "node:net";

/** A PUBLISH packet with QoS 0. The topic must be shorter than 128 bytes, the packet shorter than 16384. */
export function publishPacket(topic: string, payload: string): Buffer {
  const body = Buffer.concat([Buffer.from([0, topic.length]), Buffer.from(topic), Buffer.from(payload)]);
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.concat([Buffer.from([0x30, ...length]), body]);
}

export class SilentBroker {
  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
    readonly url: string,
  ) {}

  /** Sends CONNACK (if `accept`) and then the packets to everyone who connects. */
  static start(packets: readonly Buffer[], accept = true): Promise<SilentBroker> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.resume();
        if (accept) {
          socket.write(Buffer.concat([Buffer.from([0x20, 2, 0, 0]), ...packets]));
        }
      });
    });
    return new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        resolve(new SilentBroker(server, sockets, `mqtt://127.0.0.1:${port}`));
      });
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => this.server.close(resolve));
  }
}
