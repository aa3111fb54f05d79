/** A broker in this process, on a free port of the loopback interface, where everybody may do everything: what is tested is the node. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";

export interface OpenBroker {
  /** mqtt://127.0.0.1:PORT */
  readonly url: string;
  close(): Promise<void>;
}

export interface OpenBrokerOptions {
  /** Asked for every filter: false refuses it, with 0x80 in the SUBACK. */
  readonly mayHear?: (clientId: string, filter: string) => boolean;
}

export async function openBroker({ mayHear }: OpenBrokerOptions = {}): Promise<OpenBroker> {
  const aedes = await Aedes.createBroker();
  if (mayHear !== undefined) {
    aedes.authorizeSubscribe = (client, subscription, done) =>
      done(null, mayHear(client?.id ?? "", subscription.topic) ? subscription : null);
  }
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: `mqtt://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    async close() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
