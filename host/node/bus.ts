/**
 * The node's own bus and its way to neighbouring servers, as the configuration has them: the embedded broker, or a
 * broker somewhere else; certificates and passwords read from their files and variables. It routes nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode, UserError } from "../../compiler/diagnostics/user-error.js";
import type { BusConnection } from "../bus/connection.js";
import { MqttConnection, type MqttConnectionOptions } from "../bus/mqtt-connection.js";
import { topicOf } from "../bus/topics.js";
import { startBroker, type Broker } from "./broker/broker.js";
import { IdentityStore } from "./broker/identity-store.js";
import type { Closers } from "./closers.js";
import { defaultBroker, type NodeConfig } from "./config.js";
import { willOf } from "./core/own-record.js";
import type { Log } from "./log.js";
import { RedisWorkerGroup } from "./scale-out/redis-worker-group.js";
import { SharedConnection } from "./scale-out/shared-connection.js";

export interface Bus {
  readonly connection: BusConnection;
  readonly neighbours: readonly { readonly id: string; readonly connection: BusConnection }[];
  readonly identities: IdentityStore;
  /** Undefined with an external broker. */
  readonly broker: Broker | undefined;
  readonly addresses: readonly { readonly what: string; readonly url: string }[];
  /** To a broker of devices. */
  connect(url: string): Promise<BusConnection>;
}

export interface BusOptions {
  readonly config: NodeConfig;
  readonly boot: number;
  readonly log: Log;
  readonly closers: Closers;
}

const defaultPort = 1883;
const dayMs = 24 * 3600 * 1000;
/** How long the start waits for a broker that is somewhere else, ms. */
const patienceMs = 10_000;

/** @throws UserError TMC61xx of the broker, TMC6004 a certificate or variable that is missing, TMC6005 no connection */
export async function openBus({ config, boot, log, closers }: BusOptions): Promise<Bus> {
  const identities = await IdentityStore.open(config.state, config.id);
  closers.add("identities", () => identities.close());
  identities.watch((error) => log.error({ module: "broker", err: error }, "identities could not be read"));
  const connect = async (url: string): Promise<BusConnection> => {
    const connection = MqttConnection.open({ url, clientId: config.id, onProblem: problems(log, url) });
    closers.add(`connection to ${url}`, () => connection.close());
    return connection;
  };
  const neighbours = config.neighbours.map(({ id, url, tls, passwordFrom }) => {
    const connection = MqttConnection.open({
      url,
      clientId: config.id,
      ...(tls === undefined ? {} : { tls: readTls(tls) }),
      ...(passwordFrom === undefined ? {} : { username: config.id, password: variable(passwordFrom) }),
      will: {
        topic: topicOf({ server: id, node: config.id, kind: "s" }),
        payload: willOf(config.id, boot),
        retain: true,
      },
      onProblem: problems(log, url),
    });
    closers.add(`connection to ${id}`, () => connection.close());
    return { id, connection };
  });
  const own = config.bus.external === undefined ? await embedded() : await external(config.bus.external);
  return { ...own, neighbours, identities, connect };

  async function embedded(): Promise<Pick<Bus, "connection" | "broker" | "addresses">> {
    const section = config.bus.broker ?? defaultBroker;
    const plain = section.port ?? (section.tls === undefined ? defaultPort : undefined);
    const broker = await startBroker({
      id: config.id,
      config: plain === undefined ? section : { ...section, port: plain },
      identities,
      log,
      ...(section.tls === undefined ? {} : { tls: await identities.serverMaterial(section.tls.names) }),
      devices: devicesOf(config),
      ...(section.persistence ? { folder: join(config.state, "bus") } : {}),
    });
    closers.add("broker", () => broker.close());
    renewDaily(broker, section.tls?.names);
    const { port, tlsPort } = broker;
    return {
      connection: broker.connect(),
      broker,
      addresses: [
        ...(port === undefined ? [] : [{ what: "bus", url: `mqtt://127.0.0.1:${port}` }]),
        ...(tlsPort === undefined ? [] : [{ what: "bus (TLS)", url: `mqtts://${section.host}:${tlsPort}` }]),
      ],
    };
  }

  /** The broker's own certificate, so that a node that runs for years has always a valid one. */
  function renewDaily(broker: Broker, names: readonly string[] | undefined): void {
    if (names === undefined) return;
    const timer = setInterval(() => {
      identities.serverMaterial(names).then(
        (material) => broker.renewTls(material),
        (error: unknown) => log.error({ module: "broker", err: error }, "certificate not renewed"),
      );
    }, dayMs);
    timer.unref();
    closers.add("renewal of the broker's certificate", () => clearInterval(timer));
  }

  async function external(
    section: NonNullable<NodeConfig["bus"]["external"]>,
  ): Promise<Pick<Bus, "connection" | "broker" | "addresses">> {
    const { url, alternatives, tls, username, passwordFrom, alpn, retain, messagesPerSecond } = section;
    const options: MqttConnectionOptions = {
      url,
      alternatives,
      // Of several workers another one goes on; of what passes meanwhile each must learn.
      ...(section.workers === undefined ? {} : { session: true, backoffMs: [100, 2_000] }),
      clientId: clientIdOf(config),
      ...(tls === undefined ? {} : { tls: readTls(tls) }),
      ...(username === undefined ? {} : { username }),
      ...(passwordFrom === undefined ? {} : { password: variable(passwordFrom) }),
      ...(alpn === undefined ? {} : { alpn }),
      retain,
      ...(messagesPerSecond === undefined ? {} : { messagesPerSecond }),
      onProblem: problems(log, url),
    };
    const connection = MqttConnection.open(options);
    closers.add("bus", () => connection.close());
    try {
      await connection.ready(patienceMs);
    } catch (error) {
      throw new UserError(
        "TMC6005",
        `the broker ${url} cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
        "start it, or correct bus.external (url, tls, username, passwordFrom)",
        ExitCode.failed,
      );
    }
    const addresses = [{ what: "bus", url }];
    const { workers } = section;
    if (workers === undefined) return { connection, broker: undefined, addresses };
    const { name: worker, redis } = workers;
    const group = await RedisWorkerGroup.join({ url: redis, server: config.id, worker });
    const shared = new SharedConnection(connection, group, config.id, log.child({ module: "scale-out" }));
    closers.add("worker group", () => shared.close());
    return { connection: shared, broker: undefined, addresses };
  }
}

/** Workers share the id of the server; MQTT wants another one for each connection. */
function clientIdOf({ id, bus }: NodeConfig): string {
  const worker = bus.external?.workers?.name;
  if (worker === undefined) return id;
  const clientId = `${id}-${worker}`;
  if (clientId.length <= 23) return clientId;
  throw new UserError(
    "TMC6810",
    `the ids of server and worker are too long together: ${clientId}`,
    "23 characters at most, with the hyphen between them",
    ExitCode.usage,
  );
}

const problems =
  (log: Log, url: string) =>
  (text: string): void =>
    log.warn({ module: "bus", url }, text);

function readTls(files: { readonly ca: string; readonly cert: string; readonly key: string }): {
  ca: string;
  cert: string;
  key: string;
} {
  return { ca: readPem(files.ca), cert: readPem(files.cert), key: readPem(files.key) };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UserError(
      "TMC6004",
      `the certificate or key ${file} cannot be read`,
      "correct the path; `tmc node enroll` of the server makes these files",
      ExitCode.usage,
    );
  }
}

function variable(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== "") return value;
  throw new UserError(
    "TMC6004",
    `the environment variable ${name} is not set`,
    `set ${name}, or correct passwordFrom`,
    ExitCode.usage,
  );
}

/** The topics of MQTT devices that use the node's own bus. */
function devicesOf(config: NodeConfig): { publish: string[]; subscribe: string[] } {
  const own = config.connectors.flatMap((each) =>
    each.kind === "mqtt" && each.url === undefined ? [each] : [],
  );
  return {
    publish: own.flatMap((each) => [
      ...each.sensors.map((sensor) => sensor.topic),
      ...each.actuators.flatMap((actuator) => actuator.stateTopic ?? []),
    ]),
    subscribe: own.flatMap((each) => each.actuators.map((actuator) => actuator.topic)),
  };
}
