/**
 * A broker on loopback with the documented limits of AWS IoT Core and its policies: who breaks one is disconnected, and
 * it is written down. Devices come over TLS as they would there (SNI, ALPN where asked for, a certificate that is known,
 * attached to a thing whose name is the client id); without TLS the client id plays the thing. Kept of policies: what they
 * allow and deny with `*` and `?`, the thing's name, and conditions on IsAttached and ConnectAttributes. It is an imitation
 * from the documentation, not the service.
 */
import type { Duplex } from "node:stream";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { Aedes, type Client } from "aedes";

export interface Policy {
  readonly Statement: readonly Statement[];
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: {
    readonly Bool?: { readonly "iot:Connection.Thing.IsAttached"?: string };
    readonly "ForAllValues:StringEquals"?: { readonly "iot:ConnectAttributes"?: readonly string[] };
  };
}

/** An endpoint for devices, with TLS. */
export interface Endpoint {
  /** PEM, chain behind leaf: what the endpoint shows, by the client's cipher suites. */
  readonly cert: readonly string[];
  readonly key: readonly string[];
  /** PEM: who signs certificates of devices. */
  readonly ca: string;
  /** The name that clients must send; undefined: they call an address, which has none. */
  readonly host?: string;
  /** As on port 443: only clients that ask for MQTT by ALPN. */
  readonly alpn: boolean;
  /** The thing that a certificate is attached to, by its SHA-256 fingerprint; undefined: not registered. */
  readonly thingOf: (fingerprint: string) => string | undefined;
  readonly port?: number;
}

export interface AwsLikeOptions {
  /** Of a client id; undefined: no policy. Asked each time. */
  readonly policyOf: (id: string) => Policy | undefined;
  /** An endpoint for devices beside the plain one. */
  readonly tls?: Endpoint;
}

export const mqttProtocol = "x-amzn-mqtt-ca";
const mostBytes = 128 * 1024;
const mostSlashes = 7;
const mostTopicBytes = 256;
const mostFilters = 8;
const mostSubscriptions = 50;
const mostPerSecond = 100;
const mostIdBytes = 128;
/** Seconds; a client that wants less gets the least, one that wants none or more the most. */
const keepAlive = { least: 30, most: 1200 };
/** Between two CONNECTs of one device, ms; not asked of clients without TLS. */
const connectInterval = 1000;

export class AwsLikeBroker {
  readonly violations: string[] = [];
  /** Messages of clients. */
  published = 0;
  largest = 0;
  /** CONNECT packets by client id. */
  readonly connects = new Map<string, number>();
  /** Cipher suites of the connections with TLS, oldest first. */
  readonly ciphers: string[] = [];
  private readonly sockets = new Set<Duplex>();
  private readonly sent = new Map<Client, number[]>();
  private readonly connectedAt = new Map<string, number>();
  private readonly filters = new Map<Client, Set<string>>();
  private readonly things = new WeakMap<Duplex, string>();
  private readonly servers: Server[] = [];

  private constructor(
    private readonly aedes: Aedes,
    private readonly options: AwsLikeOptions,
  ) {}

  url = "";
  /** Of the endpoint with TLS; 0 without. */
  tlsPort = 0;

  static async start(options: AwsLikeOptions): Promise<AwsLikeBroker> {
    const broker = new AwsLikeBroker(new Aedes({ id: "aws", concurrency: 0 }), options);
    broker.authorize();
    await broker.listen();
    return broker;
  }

  private authorize(): void {
    const { aedes } = this;
    aedes.preConnect = (client, packet, done) => {
      const { clientId, clean, will } = packet;
      this.connects.set(clientId, (this.connects.get(clientId) ?? 0) + 1);
      packet.keepalive =
        packet.keepalive === undefined || packet.keepalive === 0 || packet.keepalive > keepAlive.most
          ? keepAlive.most
          : Math.max(packet.keepalive, keepAlive.least);
      const attributes = [
        ...(will === undefined ? [] : ["LastWill"]),
        ...(clean === false ? ["PersistentConnect"] : []),
      ];
      const asks = [
        ["iot:Connect", `client/${clientId}`],
        ...(will === undefined ? [] : [["iot:Publish", `topic/${will.topic}`]]),
        ...(will?.retain === true ? [["iot:RetainPublish", `topic/${will.topic}`]] : []),
      ] as const;
      const thing = this.things.get(client.conn);
      const refused = asks.find(
        ([action = "", resource = ""]) => !this.allows(clientId, action, resource, attributes, thing),
      );
      const problem =
        (Buffer.byteLength(clientId) > mostIdBytes ? "a client id of more than 128 bytes" : undefined) ??
        (thing !== undefined && this.isSoon(clientId) ? "a second CONNECT within a second" : undefined) ??
        (will === undefined
          ? undefined
          : this.messageProblem(will.topic, will.payload?.length ?? 0, will.qos ?? 0)) ??
        refused?.join(" ");
      if (problem !== undefined) this.violations.push(`${clientId}: ${problem}`);
      done(null, problem === undefined);
    };
    aedes.authorizePublish = (client, packet, done) => {
      const { topic, payload, qos, retain } = packet;
      const id = client?.id ?? "";
      this.published++;
      this.largest = Math.max(this.largest, payload.length);
      const problem =
        this.messageProblem(topic, payload.length, qos) ??
        (client !== null && this.isTooFast(client) ? "more than 100 messages in a second" : undefined) ??
        (this.allows(id, "iot:Publish", `topic/${topic}`) ? undefined : "not allowed") ??
        (retain && !this.allows(id, "iot:RetainPublish", `topic/${topic}`)
          ? "may not be retained"
          : undefined);
      if (problem === undefined) return done(null);
      this.violations.push(`${id} publishes ${topic}: ${problem}`);
      done(new Error(problem));
    };
    aedes.authorizeSubscribe = (client, subscription, done) => {
      const { topic } = subscription;
      const filters = this.filters.get(client) ?? new Set();
      this.filters.set(client, filters.add(topic));
      const problem =
        this.nameProblem(topic) ??
        (filters.size > mostSubscriptions ? "more than 50 subscriptions" : undefined) ??
        (this.allows(client.id, "iot:Subscribe", `topicfilter/${topic}`) ? undefined : "not allowed");
      if (problem === undefined) return done(null, subscription);
      this.violations.push(`${client.id} subscribes ${topic}: ${problem}`);
      done(new Error(problem));
    };
    aedes.authorizeForward = (client, packet) =>
      this.allows(client.id, "iot:Receive", `topic/${packet.topic}`) ? packet : null;
    aedes.on("subscribe", (subscriptions, client) => {
      if (subscriptions.length <= mostFilters) return;
      this.violations.push(`${client.id}: ${subscriptions.length} filters at once`);
      client.close();
    });
  }

  private async listen(): Promise<void> {
    await this.aedes.listen();
    const plain = createServer({ noDelay: true }, (socket) => this.take(socket));
    this.url = `mqtt://127.0.0.1:${await this.open(plain, 0)}`;
    const { tls } = this.options;
    if (tls === undefined) return;
    const server = createTlsServer(
      {
        cert: [...tls.cert],
        key: [...tls.key],
        ca: tls.ca,
        requestCert: true,
        rejectUnauthorized: true,
        ...(tls.alpn ? { ALPNProtocols: [mqttProtocol, "x-amzn-http-ca"] } : {}),
      },
      (socket) => this.takeDevice(socket, tls),
    );
    server.on("connection", (socket: Socket) => this.sockets.add(socket.setNoDelay(true)));
    server.on("tlsClientError", (error: Error) => this.violations.push(`TLS: ${error.message}`));
    this.tlsPort = await this.open(server, tls.port ?? 0);
  }

  private async open(server: Server, port: number): Promise<number> {
    this.servers.push(server);
    await new Promise<void>((done, failed) => {
      server.once("error", failed);
      server.listen(port, "127.0.0.1", done);
    });
    return (server.address() as AddressInfo).port;
  }

  private takeDevice(socket: TLSSocket, tls: Endpoint): void {
    const name = (socket as TLSSocket & { readonly servername?: string | false }).servername;
    const thing = tls.thingOf(socket.getPeerCertificate().fingerprint256);
    this.ciphers.push(socket.getCipher().standardName);
    const problem =
      (tls.host !== undefined && name !== tls.host
        ? `the name ${String(name)}, not ${tls.host}`
        : undefined) ??
      (tls.alpn && socket.alpnProtocol !== mqttProtocol ? "no ALPN" : undefined) ??
      (thing === undefined ? "a certificate that is not registered" : undefined);
    if (problem !== undefined || thing === undefined) {
      this.violations.push(`TLS: ${problem ?? ""}`);
      socket.destroy();
      return;
    }
    this.things.set(socket, thing);
    this.take(socket);
  }

  private take(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on("error", () => undefined);
    this.aedes.handle(socket);
  }

  /** What its policy says: everything that is not allowed is refused. `attributes` and `thing`: of CONNECT. */
  allows(
    id: string,
    action: string,
    resource: string,
    attributes: readonly string[] = [],
    thing: string = id,
  ): boolean {
    const arn = `arn:aws:iot:REGION:ACCOUNT:${resource}`;
    const attached = thing === id;
    const applies = ({ Action, Resource, Condition }: Statement): boolean => {
      const granted = Condition?.["ForAllValues:StringEquals"]?.["iot:ConnectAttributes"] ?? [];
      return (
        [Action].flat().includes(action) &&
        attributes.every((each) => action !== "iot:Connect" || granted.includes(each)) &&
        (Condition?.Bool?.["iot:Connection.Thing.IsAttached"] ?? String(attached)) === String(attached) &&
        Resource.some(
          (each) =>
            (attached || !each.includes("${iot:Connection.Thing.ThingName}")) &&
            matches(each.replaceAll("${iot:Connection.Thing.ThingName}", id), arn),
        )
      );
    };
    const statements = this.options.policyOf(id)?.Statement.filter(applies) ?? [];
    return statements.length > 0 && statements.every(({ Effect }) => Effect === "Allow");
  }

  private messageProblem(topic: string, bytes: number, qos: number): string | undefined {
    return (
      this.nameProblem(topic) ??
      (qos > 1 ? `QoS ${qos}` : undefined) ??
      (bytes > mostBytes ? `${bytes} bytes` : undefined)
    );
  }

  private nameProblem(topic: string): string | undefined {
    if (topic.startsWith("$") && !topic.startsWith("$aws/")) return "a reserved name";
    if (topic.split("/").length - 1 > mostSlashes) return "more than 7 slashes";
    return Buffer.byteLength(topic) > mostTopicBytes ? "a name of more than 256 bytes" : undefined;
  }

  private isSoon(id: string): boolean {
    const now = performance.now();
    if (now - (this.connectedAt.get(id) ?? -connectInterval) < connectInterval) return true;
    this.connectedAt.set(id, now);
    return false;
  }

  private isTooFast(client: Client): boolean {
    const now = performance.now();
    const times = [...(this.sent.get(client) ?? []).filter((at) => now - at < 1000), now];
    this.sent.set(client, times);
    return times.length > mostPerSecond;
  }

  /** To whoever subscribed it, QoS 1: as a rule of the service would. */
  publish(topic: string, payload: Uint8Array): void {
    const packet = { cmd: "publish", qos: 1, dup: false, retain: false } as const;
    this.aedes.publish({ ...packet, topic, payload: Buffer.from(payload) }, () => undefined);
  }

  /** Calls `heard` for what clients publish. */
  onMessage(heard: (topic: string, payload: Uint8Array) => void): void {
    this.aedes.on("publish", ({ topic, payload }, client) => {
      if (client !== null) heard(topic, Buffer.from(payload));
    });
  }

  /** Ends every connection, as for maintenance. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  async stop(): Promise<void> {
    this.cut();
    await Promise.all(this.servers.map((each) => new Promise((closed) => each.close(closed))));
    await new Promise<void>((resolve) => this.aedes.close(() => resolve()));
  }
}

/** `*`: any characters, `?`: one. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(text);
}
