/**
 * A broker on loopback with the documented limits of AWS IoT Core and its policies: who breaks one is disconnected, and
 * it is written down. The name in the certificate is played by the client id. Kept of it: what a policy allows with `*`
 * and `?`, and `${iot:Certificate.Subject.CommonName}`. It is an imitation from the documentation, not the service.
 */
import { createServer, type Socket } from "node:net";
import { Aedes, type Client } from "aedes";

export interface Policy {
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: string | readonly string[];
    readonly Resource: readonly string[];
  }[];
}

export interface AwsLikeOptions {
  /** Of a client id; undefined: no certificate of ours. */
  readonly policyOf: (id: string) => Policy | undefined;
}

const mostBytes = 128 * 1024;
const mostSlashes = 7;
const mostTopicBytes = 256;
const mostFilters = 8;
const mostPerSecond = 100;

export class AwsLikeBroker {
  readonly violations: string[] = [];
  /** Messages of clients. */
  published = 0;
  largest = 0;
  private readonly sockets = new Set<Socket>();
  private readonly sent = new Map<Client, number[]>();

  private constructor(
    private readonly aedes: Aedes,
    private readonly options: AwsLikeOptions,
  ) {}

  url = "";
  private stopListening: () => Promise<void> = () => Promise.resolve();

  static async start(options: AwsLikeOptions): Promise<AwsLikeBroker> {
    const broker = new AwsLikeBroker(new Aedes({ id: "aws", concurrency: 0 }), options);
    await broker.listen();
    return broker;
  }

  private async listen(): Promise<void> {
    const { aedes } = this;
    aedes.preConnect = (_client, packet, done) => {
      const { clientId, will } = packet;
      const asks = [
        ["iot:Connect", `client/${clientId}`],
        ...(will === undefined ? [] : [["iot:Publish", `topic/${will.topic}`]]),
        ...(will?.retain === true ? [["iot:RetainPublish", `topic/${will.topic}`]] : []),
      ] as const;
      const refused = asks.find(([action, resource]) => !this.allows(clientId, action ?? "", resource ?? ""));
      if (refused !== undefined) this.violations.push(`${clientId}: ${refused.join(" ")}`);
      done(null, refused === undefined);
    };
    aedes.authorizePublish = (client, packet, done) => {
      const { topic, payload, qos, retain } = packet;
      const id = client?.id ?? "";
      const bytes = payload.length;
      this.published++;
      this.largest = Math.max(this.largest, bytes);
      const problem =
        this.nameProblem(topic) ??
        (qos > 1 ? `QoS ${qos}` : undefined) ??
        (bytes > mostBytes ? `${bytes} bytes` : undefined) ??
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
      const problem =
        this.nameProblem(topic) ??
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
    await aedes.listen();
    const server = createServer({ noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      aedes.handle(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    this.url = `mqtt://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    this.stopListening = () => new Promise((resolve) => server.close(() => resolve()));
  }

  /** What its policy says: everything that is not allowed is refused. */
  allows(id: string, action: string, resource: string): boolean {
    const arn = `arn:aws:iot:REGION:ACCOUNT:${resource}`;
    return (
      this.options
        .policyOf(id)
        ?.Statement.some(
          ({ Effect, Action, Resource }) =>
            Effect === "Allow" &&
            [Action].flat().includes(action) &&
            Resource.some((each) =>
              matches(each.replaceAll("${iot:Certificate.Subject.CommonName}", id), arn),
            ),
        ) === true
    );
  }

  private nameProblem(topic: string): string | undefined {
    if (topic.startsWith("$") && !topic.startsWith("$aws/")) return "a reserved name";
    if (topic.split("/").length - 1 > mostSlashes) return "more than 7 slashes";
    return Buffer.byteLength(topic) > mostTopicBytes ? "a name of more than 256 bytes" : undefined;
  }

  private isTooFast(client: Client): boolean {
    const now = performance.now();
    const times = [...(this.sent.get(client) ?? []).filter((at) => now - at < 1000), now];
    this.sent.set(client, times);
    return times.length > mostPerSecond;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await this.stopListening();
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
