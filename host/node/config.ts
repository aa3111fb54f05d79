/**
 * The configuration of a complete node: `node.yaml`, checked, with every default filled in. An empty file is a
 * sensible node: loopback only, data in a local folder. Paths are relative to the file's folder. The descriptions
 * become the table in docs/node.md.
 */
import { z } from "zod";
import { common } from "../bus/operations/definition.js";
import { logFormats } from "./log-output.js";

const path = z.string().min(1).max(4096);
const port = z.number().int().min(0).max(65535);
const bytes = z.number().int().min(1);
const seconds = z.number().positive();
const mqttUrl = z.string().regex(/^mqtts?:\/\//, "mqtt://HOST[:PORT] or mqtts://HOST[:PORT]");

const tlsFiles = z.strictObject({
  ca: path.describe("certificate of the authority, PEM"),
  cert: path.describe("own certificate, PEM"),
  key: path.describe("own private key, PEM"),
});

const broker = z.strictObject({
  host: z.string().default("127.0.0.1").describe("address to listen at; any but loopback needs `tls`"),
  port: port
    .optional()
    .describe("plain MQTT, on loopback; 0 chooses a free one; default 1883 without `tls`, else none"),
  tls: z
    .strictObject({
      port: port.default(8883).describe("MQTT over TLS with client certificates"),
      names: z
        .array(z.string().min(1).max(253))
        .max(32)
        .default([])
        .describe("host names and addresses clients call it by, besides those of this machine"),
    })
    .optional(),
  anonymous: z
    .boolean()
    .default(false)
    .describe(
      "let clients without certificate or password in, on loopback only; the access list still holds",
    ),
  persistence: z
    .boolean()
    .default(true)
    .describe("retained messages, sessions and their queues are kept in the state folder"),
  quotas: z
    .strictObject({
      messageBytes: bytes
        .max(16 * 1024 * 1024)
        .default(256 * 1024)
        .describe("of one message"),
      messagesPerSecond: z.number().positive().default(2000).describe("of one client, on average"),
      burst: z.number().int().positive().default(4000).describe("messages of one client at once"),
      inFlight: z
        .number()
        .int()
        .positive()
        .default(100)
        .describe("unacknowledged QoS 1 messages to one client"),
      queue: z.number().int().min(0).default(1000).describe("messages kept for a client that is away"),
      queueBytes: bytes.default(64 * 1024 * 1024).describe("of all messages kept for clients that are away"),
      retainedBytes: bytes.default(64 * 1024 * 1024).describe("of all retained messages"),
      connections: z.number().int().positive().default(20_000).describe("clients at a time"),
      perAddress: z
        .strictObject({
          connectionsPerSecond: z.number().positive().default(100).describe("new ones of one remote address"),
          burst: z.number().int().positive().default(1000).describe("new ones of one remote address at once"),
          halfOpen: z
            .number()
            .int()
            .positive()
            .default(500)
            .describe("connections of one remote address that have not proved who they are"),
        })
        .prefault({}),
    })
    .prefault({}),
});

const external = z.strictObject({
  url: mqttUrl.describe("mqtt://HOST[:PORT] or mqtts://HOST[:PORT]"),
  alternatives: z
    .array(mqttUrl)
    .max(15)
    .default([])
    .describe("further servers of the same cluster, tried in turn when a connection ends"),
  tls: tlsFiles.optional(),
  username: z.string().optional().describe("of this node"),
  passwordFrom: z.string().optional().describe("name of the environment variable that holds the password"),
  alpn: z.string().optional().describe("ALPN protocol, e.g. x-amzn-mqtt-ca for AWS IoT Core on port 443"),
  retain: z.boolean().default(true).describe("false for brokers that keep no retained messages"),
  messageBytes: bytes
    .min(4096)
    .max(16 * 1024 * 1024)
    .default(128 * 1024)
    .describe("of one message, as the broker takes it; what is larger goes in pieces"),
  messagesPerSecond: z
    .number()
    .positive()
    .optional()
    .describe("published at most, e.g. 80 for AWS IoT Core, which takes 100; default: no limit"),
  workers: z
    .strictObject({
      name: z
        .string()
        .regex(/^[0-9a-z-]{1,8}$/, "1-8 characters of 0-9 a-z -")
        .describe("of this worker"),
      redis: z
        .string()
        .regex(/^rediss?:\/\//, "redis://HOST[:PORT][/DB]")
        .describe("where the workers find each other"),
    })
    .optional()
    .describe("this process is one of several workers with the same id; see scale-out.md"),
});

const neighbour = z.strictObject({
  id: common.nodeId.describe("of the server behind the broker"),
  url: mqttUrl.describe("of its broker"),
  tls: tlsFiles.optional(),
  passwordFrom: z
    .string()
    .optional()
    .describe("name of the environment variable with this node's password there; the user name is its id"),
});

const s3 = z.strictObject({
  kind: z.literal("s3"),
  endpoint: z.url().describe("of the object storage"),
  bucket: z.string().min(3).max(63).describe("must exist"),
  region: z.string().default("us-east-1").describe("of the bucket"),
  prefix: z.string().max(64).default("").describe("of every key"),
  accessKeyFrom: z.string().default("AWS_ACCESS_KEY_ID").describe("name of an environment variable"),
  secretKeyFrom: z.string().default("AWS_SECRET_ACCESS_KEY").describe("name of an environment variable"),
});

const storage = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("local"),
    path: path.default("data").describe("folder, relative to `state`"),
    blobs: s3.optional().describe("blobs in object storage instead of the folder"),
  }),
  z.strictObject({
    kind: z.literal("redis"),
    url: z
      .string()
      .regex(/^rediss?:\/\//, "redis://HOST[:PORT][/DB]")
      .describe("redis://HOST[:PORT][/DB]"),
    passwordFrom: z.string().optional().describe("name of the environment variable with the password"),
    replicas: z
      .number()
      .int()
      .min(0)
      .max(16)
      .default(0)
      .describe("a write is acknowledged when so many replicas have it"),
    prefix: z.string().max(64).default("tmc:").describe("of every key"),
    blobs: s3.optional().describe("blobs in object storage instead of Redis"),
  }),
]);

const access = z.strictObject({
  callers: z.array(z.string().min(1).max(64)).min(1).describe("ids, or patterns with *"),
  operations: z.array(z.string().min(1).max(64)).min(1).describe('names, or patterns with *, e.g. "data.*"'),
  allow: z.boolean().describe("or forbid"),
});

const connector = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("iio"),
    root: path.default("/sys/bus/iio/devices").describe("folder of the devices"),
  }),
  z.strictObject({
    kind: z.literal("hwmon"),
    root: path.default("/sys/class/hwmon").describe("folder of the devices"),
  }),
  z.strictObject({
    kind: z.literal("gpio"),
    root: path.default("/sys/class/gpio").describe("folder of the lines"),
    lines: z.array(
      z.strictObject({
        name: common.name,
        line: z.number().int().min(0),
        direction: z.enum(["in", "out"]),
      }),
    ),
  }),
  z.strictObject({
    kind: z.literal("mqtt"),
    url: z.string().optional().describe("default: the node's own bus"),
    sensors: z
      .array(
        z.strictObject({
          name: common.name,
          topic: z.string().min(1).max(200),
          fields: z
            .array(z.string().max(64))
            .max(16)
            .optional()
            .describe(
              'where the numbers are in a JSON payload, e.g. "data.x"; absent: the payload is a number',
            ),
          unit: z.string().max(15).optional(),
          rate: z.number().positive().optional().describe("Hz"),
        }),
      )
      .default([]),
    actuators: z
      .array(
        z.strictObject({
          name: common.name,
          topic: z.string().min(1).max(200).describe("the value is published here"),
          stateTopic: z.string().min(1).max(200).optional().describe("the device tells its value here"),
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
        source: z.string().min(1).max(4096).describe('a CSV file, or "generator:KIND"'),
        unit: z.string().max(15).optional(),
        channels: z.array(z.string().max(32)).min(1).max(16).describe("their names"),
        rate: z.number().positive().describe("Hz"),
        immediate: z.boolean().default(false).describe("as fast as asked for, instead of at the rate"),
        seed: z.number().int().min(0).default(1).describe("of a generator"),
      }),
    ),
  }),
]);

export const nodeConfigSchema = z.strictObject({
  id: common.nodeId.default("edge").describe("of this node and server"),
  labels: z
    .array(z.string().min(1).max(64))
    .max(16)
    .default([])
    .describe("words that requests can select by"),
  state: path
    .default("tmc-node")
    .describe("folder of what the node keeps for itself: identities, boot counter, settings"),
  bus: z
    .strictObject({
      broker: broker.optional().describe("the Message Bus Server of this node; the default"),
      external: external.optional().describe("or a broker somewhere else"),
    })
    .refine(
      (bus) => bus.broker === undefined || bus.external === undefined,
      "either broker or external, not both",
    )
    .prefault({}),
  neighbours: z.array(neighbour).max(16).default([]).describe("servers this one joins, to forward to"),
  storage: storage.prefault({ kind: "local" }),
  quotas: z
    .strictObject({
      dataBytes: bytes.default(4 * 1024 ** 3).describe("all data sets"),
      dataSetBytes: bytes.default(1024 ** 3).describe("one data set"),
      modelBytes: bytes.default(1024 ** 3).describe("all models"),
      blobBytes: bytes.default(256 * 1024 ** 2).describe("one upload"),
    })
    .prefault({}),
  sweepS: seconds.default(60).describe("seconds between sweeps of what is older than its time to live"),
  requests: z
    .strictObject({
      deadlineMs: z
        .number()
        .int()
        .min(1)
        .max(3_600_000)
        .default(10_000)
        .describe("of requests that state none"),
      inFlightPerNode: z.number().int().positive().default(16).describe("dispatched to one node at a time"),
      queuePerNode: z.number().int().min(0).default(256).describe("that wait for a node, before it is busy"),
      inFlight: z.number().int().positive().default(10_000).describe("in this server at a time"),
      hops: z.number().int().min(0).max(16).default(4).describe("servers a request may pass"),
      duplicatesS: seconds.default(600).describe("seconds that answers are kept for repeated requests"),
      resendMs: z
        .number()
        .int()
        .min(0)
        .max(600_000)
        .default(2_000)
        .describe(
          "a dispatch without an answer is sent again after so long, then after twice that, …; 0 never",
        ),
      returnMs: z
        .number()
        .int()
        .min(0)
        .max(600_000)
        .default(0)
        .describe(
          "how long requests wait for a node that went away, in case it comes back; for workers at least 15000",
        ),
    })
    .prefault({}),
  access: z
    .array(access)
    .max(1000)
    .default([])
    .describe("the first rule that matches decides; after them the callers of each operation"),
  functions: z
    .strictObject({
      enabled: z.boolean().default(true).describe("take and run functions"),
      trustedKeys: path
        .optional()
        .describe("folder of public keys, PEM, whose functions are taken; default: none"),
      memoryBytes: bytes.default(16 * 1024 ** 2).describe("of one instance"),
      workers: z.number().int().min(1).max(64).default(2).describe("threads"),
      trustedWorkers: z
        .boolean()
        .default(false)
        .describe("let TypeScript functions run in a worker: no sandbox, for code of the owner"),
    })
    .prefault({}),
  updates: z
    .strictObject({
      key: path
        .optional()
        .describe("private key of the owner (tmc key new) that signs what devices get; default: none"),
    })
    .prefault({}),
  connectors: z.array(connector).max(16).default([]).describe("sensors and actuators of this node"),
  management: z
    .strictObject({
      enabled: z.boolean().default(true).describe("HTTP API, metrics and web page"),
      host: z.string().default("127.0.0.1").describe("address to listen at"),
      port: port.default(8080).describe("0 chooses a free one"),
      token: path
        .default("token")
        .describe("file with the bearer token, relative to `state`; made at the first start"),
      open: z.boolean().default(false).describe("ask for no token; on loopback only"),
      tls: z
        .strictObject({
          cert: path.describe("certificate file, PEM"),
          key: path.describe("private key file, PEM"),
        })
        .optional()
        .describe("HTTPS; any address but loopback needs it, or `plain`"),
      plain: z
        .boolean()
        .default(false)
        .describe("plain HTTP at any address: behind a proxy that does TLS, or in a network of the owner"),
      names: z
        .array(z.string().min(1).max(253))
        .max(16)
        .default([])
        .describe("by which browsers reach it, beside localhost, addresses and the machine's name"),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(["debug", "info", "warn", "error"])
        .default("info")
        .describe("least severe that is logged"),
      format: z
        .enum(logFormats)
        .optional()
        .describe("lines for people or JSON lines; default: pretty on a terminal, else json"),
    })
    .prefault({}),
});

/** The Message Bus Server when the configuration names no bus. */
export const defaultBroker = broker.parse({});

/** Every field filled in. */
export type NodeConfig = z.infer<typeof nodeConfigSchema>;
