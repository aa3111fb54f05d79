/** An SNTP server on a free port of the loopback interface, whose clock the test sets. It answers whatever comes. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

export class TimeServer {
  /** Seconds since 1970. */
  now = Math.floor(Date.now() / 1000);

  private constructor(private readonly socket: Socket) {
    socket.on("message", (request, from) => {
      const answer = Buffer.alloc(48);
      answer[0] = 0x24; // version 4, server
      answer[1] = 1; // stratum
      request.copy(answer, 24, 40, 48); // originate = the client's transmit time
      for (const at of [32, 40]) answer.writeUInt32BE((this.now + 2_208_988_800) % 2 ** 32, at);
      socket.send(answer, from.port, from.address);
    });
  }

  static async start(): Promise<TimeServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new TimeServer(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  async stop(): Promise<void> {
    this.socket.close();
    await once(this.socket, "close");
  }
}
