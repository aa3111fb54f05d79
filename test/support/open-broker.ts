/** A broker in this process, on a free port of the loopback interface, where everybody may do everything: what is tested is the node. */
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Aedes } from "aedes";

/** A message on its way through the broker. */
export interface Passing {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface OpenBroker {
  /** mqtt://127.0.0.1:PORT */
  readonly url: string;
  /** Of mutual TLS; 0 without. */
  readonly tlsPort: number;
  /** To whoever subscribed it, QoS 1, from nobody. */
  publish(message: Passing): void;
  close(): Promise<void>;
}

/** PEM: the authority of both sides, the broker's certificate and its key. */
export interface OpenBrokerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface OpenBrokerOptions {
  /** Also over TLS, for clients with a certificate of this authority and no others. */
  readonly tls?: OpenBrokerTls;
  /** Ports instead of free ones: a broker that comes back is where it was. */
  readonly ports?: { readonly plain?: number; readonly tls?: number };
  /** Gets what a client publishes, its last will too, and gives what is passed on in its place: nothing, one or several. */
  readonly pass?: (message: Passing, publisher: string) => readonly Passing[];
  /** Asked for every filter: false refuses it, with 0x80 in the SUBACK. */
  readonly mayHear?: (clientId: string, filter: string) => boolean;
}

export async function openBroker(options: OpenBrokerOptions = {}): Promise<OpenBroker> {
  const { mayHear, pass, ports = {} } = options;
  const aedes = await Aedes.createBroker();
  if (mayHear !== undefined) {
    aedes.authorizeSubscribe = (client, subscription, done) =>
      done(null, mayHear(client?.id ?? "", subscription.topic) ? subscription : null);
  }
  const publish = ({ topic, payload }: Passing): void => {
    const packet = { cmd: "publish", qos: 1, dup: false, retain: false } as const;
    aedes.publish({ ...packet, topic, payload: Buffer.from(payload) }, () => undefined);
  };
  if (pass !== undefined) {
    aedes.authorizePublish = (client, packet, done) => {
      const message = { topic: packet.topic, payload: Buffer.from(packet.payload) };
      const [first, ...more] = pass(message, client?.id ?? "");
      // Aedes can refuse a message only by ending the connection: what is not passed on goes where nobody listens.
      packet.topic = first?.topic ?? "nowhere";
      packet.payload = Buffer.from(first?.payload ?? []);
      more.forEach(publish);
      done(null);
    };
  }
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    aedes.handle(socket);
  };
  const listen = async (server: Server, port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const server = createServer({ noDelay: true }, take);
  const port = await listen(server, ports.plain ?? 0);
  const { tls } = options;
  const secure =
    tls === undefined
      ? undefined
      : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true, noDelay: true }, take);
  const tlsPort = secure === undefined ? 0 : await listen(secure, ports.tls ?? 0);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    tlsPort,
    publish,
    async close() {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      server.close();
      secure?.close();
    },
  };
}
