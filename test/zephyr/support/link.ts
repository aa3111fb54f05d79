/** A TCP connection between a node and its broker that a test can break: refused, cut, or silent in either direction. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export class Link {
  /** Where new connections go: port on the loopback interface; 0 refuses them. */
  target: number;
  /** What comes from the node / from the broker is thrown away. */
  readonly deaf = { up: false, down: false };
  /** Connections taken so far. */
  taken = 0;
  /** The last bytes from the broker. */
  lastDown = Buffer.alloc(0);
  private readonly pairs = new Set<Pair>();

  private constructor(
    private readonly server: Server,
    target: number,
  ) {
    this.target = target;
    server.on("connection", (near) => this.take(near));
  }

  static async to(target: number): Promise<Link> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Link(server, target);
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Ends every connection, by a reset. New ones are taken as before. */
  cut(): void {
    for (const { near, far } of this.pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
    this.pairs.clear();
  }

  async close(): Promise<void> {
    this.target = 0;
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }

  private take(near: Socket): void {
    if (this.target === 0) {
      near.on("error", () => undefined).resetAndDestroy();
      return;
    }
    this.taken++;
    const far = connect(this.target, "127.0.0.1").setNoDelay(true);
    const pair = { near, far };
    this.pairs.add(pair);
    near.on("data", (bytes) => {
      if (!this.deaf.up) far.write(bytes);
    });
    far.on("data", (bytes) => {
      this.lastDown = bytes;
      if (!this.deaf.down) near.write(bytes);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", () => {
        this.pairs.delete(pair);
        // A silent peer does not say that it has ended either.
        if (!this.deaf.up && !this.deaf.down) other.destroy();
      });
    }
  }
}
