/**
 * A broker of two servers in this process, which fail as servers of a cluster do: one dies with its connections, and for a
 * while the other refuses subscriptions, ends connections and loses messages that it acknowledged.
 */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";

interface Front {
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

export class FaultyBroker {
  /** Messages that were acknowledged and not delivered, to each client that should have got them. */
  lost = 0;
  refused = 0;
  private losing = false;
  private refusing = false;

  private constructor(
    private readonly aedes: Aedes,
    private readonly fronts: readonly Front[],
    readonly urls: readonly string[],
  ) {
    // Records on b and s are kept by the broker: they come with the next subscription anyway.
    aedes.authorizeForward = (_client, packet) => {
      if (!this.losing || !/\/q\/|\/[rxy]$/.test(packet.topic)) return packet;
      this.lost++;
      return null;
    };
    aedes.authorizeSubscribe = (_client, subscription, done) => {
      const refuses = this.refusing && this.refused++ % 3 === 0;
      done(null, refuses ? null : subscription);
    };
  }

  static async start(): Promise<FaultyBroker> {
    const aedes = await Aedes.createBroker();
    const fronts = [0, 1].map((): Front => {
      const sockets = new Set<Socket>();
      const server = createServer({ noDelay: true }, (socket) => {
        sockets.add(socket);
        aedes.handle(socket);
      });
      return { server, sockets };
    });
    const urls: string[] = [];
    for (const { server } of fronts) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      urls.push(`mqtt://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
    }
    return new FaultyBroker(aedes, fronts, urls);
  }

  /** The first server dies; the other is not itself until it has lost `messages`, and for `ms` at least. */
  async killFirst(messages: number, ms: number): Promise<void> {
    this.losing = true;
    this.refusing = true;
    await Promise.all([
      new Promise((resolve) => setTimeout(resolve, ms)),
      // Connections end a little after the death, when a publish was not taken.
      new Promise<void>((resolve) => {
        const look = setInterval(() => {
          if (this.lost < messages) return;
          clearInterval(look);
          this.fronts[0]?.server.close();
          for (const { sockets } of this.fronts) for (const socket of sockets) socket.destroy();
          resolve();
        }, 5);
      }),
    ]);
    this.losing = false;
    this.refusing = false;
  }

  async stop(): Promise<void> {
    for (const { server, sockets } of this.fronts) {
      server.close();
      for (const socket of sockets) socket.destroy();
    }
    await new Promise<void>((resolve) => this.aedes.close(() => resolve()));
  }
}
