/** A broker on loopback for those who attack it, and its attackers; all of it ends with each test. */
import { afterEach } from "vitest";
import type { Broker, BrokerOptions } from "../../host/node/broker/broker.js";
import { noIdentities, type Identities } from "../../host/node/broker/identities.js";
import { startTestBroker } from "../support/test-broker.js";
import { gather } from "./connection-contract.js";
import { publishPacket, RawClient, type ConnectFields } from "./raw-client.js";

const roles: ReadonlyMap<string, "operator" | "server" | "node"> = new Map([
  ["op", "operator"],
  ["srv", "server"],
  ["known", "node"],
] as const);

/** "op" is an operator, "srv" a server, "known" a node; the password of each is its name twice. */
export const someKnown: Identities = {
  ...noIdentities,
  roleOf: (id) => roles.get(id),
  verifyPassword: (id, password) => Promise.resolve(password === id + id),
};

export class AttackedBroker {
  broker!: Broker & { port: number };
  readonly clients: RawClient[] = [];

  /** To be called once in a file, outside of its tests. */
  static forEachTest(): AttackedBroker {
    const attacked = new AttackedBroker();
    afterEach(async () => {
      for (const client of attacked.clients.splice(0)) client.close();
      await attacked.broker.close();
    });
    return attacked;
  }

  /** Strangers are let in; the identities are `someKnown`. */
  readonly start = async (config: object = {}, options: Partial<BrokerOptions> = {}): Promise<void> => {
    const started = await startTestBroker(config, { identities: someKnown, ...options });
    if (started.port === undefined) throw new Error("no plain listener");
    this.broker = Object.assign(started, { port: started.port });
  };

  readonly open = async (): Promise<RawClient> => {
    const client = await RawClient.open(this.broker.port);
    this.clients.push(client);
    return client;
  };

  /** With its password, when it has one. @throws Error when refused */
  readonly join = async (id: string, fields?: ConnectFields): Promise<RawClient> => {
    const known = roles.has(id) ? { username: id, password: id + id } : {};
    const client = await RawClient.connect(this.broker.port, id, { ...known, ...fields });
    this.clients.push(client);
    return client;
  };

  /** Of CONNACK; 255: the connection ended without. */
  readonly codeOf = async (id: string, fields?: ConnectFields): Promise<number> =>
    (await this.open()).handshake(id, fields);

  /** Counts above 0. */
  readonly refused = (): Partial<Record<string, number>> =>
    Object.fromEntries(Object.entries(this.broker.status().refused).filter(([, count]) => count > 0));

  /** The broker still serves a stranger. */
  readonly alive = async (): Promise<void> => {
    const server = this.broker.connect();
    const heard = gather(server);
    await server.subscribe(["t1/edge/alive/e"]);
    const client = await this.join("alive");
    client.socket.write(publishPacket("t1/edge/alive/e", "here"));
    await heard.until(1);
    await server.close();
    client.close();
  };
}
