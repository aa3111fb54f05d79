/**
 * The configuration of a complete node: `node.yaml`, checked, with every default filled in. An empty file is a
 * sensible node: loopback only, data in a local folder. Paths are relative to the file's folder.
 */
import { z } from "zod";
import { common } from "../bus/operations/definition.js";

const path = z.string().min(1).max(4096);
const port = z.number().int().min(0).max(65535);
const bytes = z.number().int().min(1);
const seconds = z.number().positive();

/** Certificate files, PEM. */
const tlsFiles = z.strictObject({ ca: path, cert: path, key: path });

const broker = z.strictObject({
  /** Address to listen at; any but loopback needs TLS. */
  host: z.string().default("127.0.0.1"),
  /** Plain MQTT; 0 chooses a free one; absent with TLS: none. */
  port: port.optional(),
  tls: z.strictObject({ port: port.default(8883) }).optional(),
  /** Clients without a certificate: only on loopback, and only when asked for. */
  anonymous: z.boolean().default(false),
  quotas: z
    .strictObject({
      /** Bytes of one message. */
      messageBytes: bytes.max(16 * 1024 * 1024).default(256 * 1024),
      /** Messages per second of one client, on average and in a burst. */
      messagesPerSecond: z.number().positive().default(2000),
      burst: z.number().int().positive().default(4000),
      /** Unacknowledged QoS 1 messages to one client. */
      inFlight: z.number().int().positive().default(100),
      /** Messages kept for a client that is away. */
      queue: z.number().int().min(0).default(1000),
      connections: z.number().int().positive().default(20_000),
    })
    .prefault({}),
});

const external = z.strictObject({
  /** mqtt://HOST[:PORT] or mqtts://HOST[:PORT] */
  url: z.string().regex(/^mqtts?:\/\//, "mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"),
  tls: tlsFiles.optional(),
  username: z.string().optional(),
  /** Name of the environment variable that holds the password. */
  passwordFrom: z.string().optional(),
  /** ALPN protocol, e.g. for AWS IoT Core on port 443. */
  alpn: z.string().optional(),
  /** False for brokers that keep no retained messages. */
  retain: z.boolean().default(true),
});

const neighbour = z.strictObject({
  /** Id of the server behind the broker. */
  id: common.nodeId,
  url: z.string().regex(/^mqtts?:\/\//, "mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"),
  tls: tlsFiles.optional(),
});

const storage = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("local"), path: path.default("data") }),
  z.strictObject({
    kind: z.literal("redis"),
    url: z.string().regex(/^rediss?:\/\//, "redis://HOST[:PORT][/DB]"),
    prefix: z.string().max(64).default("tmc:"),
    /** Where blobs go; default: in Redis too. */
    blobs: z
      .strictObject({
        kind: z.literal("s3"),
        endpoint: z.url(),
        bucket: z.string().min(3).max(63),
        region: z.string().default("us-east-1"),
        prefix: z.string().max(64).default(""),
        /** Names of environment variables. */
        accessKeyFrom: z.string().default("AWS_ACCESS_KEY_ID"),
        secretKeyFrom: z.string().default("AWS_SECRET_ACCESS_KEY"),
      })
      .optional(),
  }),
]);

const access = z.strictObject({
  /** Ids or patterns with * */
  callers: z.array(z.string().min(1).max(64)).min(1),
  /** Names of operations or patterns with *, e.g. "data.*". */
  operations: z.array(z.string().min(1).max(64)).min(1),
  allow: z.boolean(),
});

const connector = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("iio"), root: path.default("/sys/bus/iio/devices") }),
  z.strictObject({ kind: z.literal("hwmon"), root: path.default("/sys/class/hwmon") }),
  z.strictObject({
    kind: z.literal("gpio"),
    root: path.default("/sys/class/gpio"),
    lines: z.array(
      z.strictObject({ name: common.name, line: z.number().int().min(0), direction: z.enum(["in", "out"]) }),
    ),
  }),
  z.strictObject({
    kind: z.literal("mqtt"),
    /** Default: the node's own bus. */
    url: z.string().optional(),
    sensors: z
      .array(
        z.strictObject({
          name: common.name,
          topic: z.string().min(1).max(200),
          /** Where the numbers are in a JSON payload, e.g. "temperature" or "data.x"; absent: the payload is a number. */
          fields: z.array(z.string().max(64)).max(16).optional(),
          unit: z.string().max(15).optional(),
          rate: z.number().positive().optional(),
        }),
      )
      .default([]),
    actuators: z
      .array(
        z.strictObject({
          name: common.name,
          topic: z.string().min(1).max(200),
          stateTopic: z.string().min(1).max(200).optional(),
          unit: z.string().max(15).optional(),
          min: z.number(),
          max: z.number(),
        }),
      )
      .default([]),
  }),
  z.strictObject({
    kind: z.literal("replay"),
    sensors: z.array(
      z.strictObject({
        name: common.name,
        /** A CSV file, or "generator:sine", "generator:noise" … */
        source: z.string().min(1).max(4096),
        unit: z.string().max(15).optional(),
        channels: z.array(z.string().max(32)).min(1).max(16),
        rate: z.number().positive(),
        /** As fast as asked for, instead of at the rate. */
        immediate: z.boolean().default(false),
        seed: z.number().int().min(0).default(1),
      }),
    ),
  }),
]);

export const nodeConfigSchema = z.strictObject({
  /** Id of this server and node. */
  id: common.nodeId.default("edge"),
  labels: z.array(z.string().min(1).max(64)).max(16).default([]),
  /** Everything that this node keeps for itself: identity, boot counter, certificates. */
  state: path.default("tmc-node"),
  bus: z
    .strictObject({
      /** The Message Bus Server of this node. */
      broker: broker.optional(),
      /** Or a broker somewhere else. */
      external: external.optional(),
    })
    .refine(
      (bus) => bus.broker === undefined || bus.external === undefined,
      "either broker or external, not both",
    )
    .prefault({}),
  neighbours: z.array(neighbour).max(16).default([]),
  storage: storage.prefault({ kind: "local" }),
  quotas: z
    .strictObject({
      dataBytes: bytes.default(4 * 1024 ** 3),
      dataSetBytes: bytes.default(1024 ** 3),
      modelBytes: bytes.default(1024 ** 3),
      blobBytes: bytes.default(256 * 1024 ** 2),
    })
    .prefault({}),
  /** Seconds between sweeps of what is older than its time to live. */
  sweepS: seconds.default(60),
  requests: z
    .strictObject({
      deadlineMs: z.number().int().min(1).max(3_600_000).default(10_000),
      inFlightPerNode: z.number().int().positive().default(16),
      queuePerNode: z.number().int().min(0).default(256),
      inFlight: z.number().int().positive().default(10_000),
      hops: z.number().int().min(0).max(16).default(4),
      /** How long answers are kept for repeated requests. */
      duplicatesS: seconds.default(600),
    })
    .prefault({}),
  /** First rule that matches decides; after them the rule of each operation. */
  access: z.array(access).max(1000).default([]),
  functions: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Folder of trusted public keys, PEM; default: only those made by this node. */
      trustedKeys: path.optional(),
      memoryBytes: bytes.default(16 * 1024 ** 2),
      workers: z.number().int().min(1).max(64).default(2),
      /** Let TypeScript functions run in a worker: no sandbox, for code of the owner. */
      trustedWorkers: z.boolean().default(false),
    })
    .prefault({}),
  connectors: z.array(connector).max(16).default([]),
  management: z
    .strictObject({
      enabled: z.boolean().default(true),
      host: z.string().default("127.0.0.1"),
      port: port.default(8080),
      /** File with the bearer token; made at the first start. Not asked for on loopback only when `open`. */
      token: path.default("token"),
      open: z.boolean().default(false),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
});

/** Every field filled in. */
export type NodeConfig = z.infer<typeof nodeConfigSchema>;
