/** The process that `bench:bus` measures: embedded broker and Core Service, nothing else. Prints its port; ends with stdin. */
import { Writable } from "node:stream";
import { startBroker } from "../host/node/broker/broker.js";
import { noIdentities } from "../host/node/broker/identities.js";
import { nodeConfigSchema } from "../host/node/config.js";
import { createCoreService } from "../host/node/core/service.js";
import { createLog } from "../host/node/log.js";

const log = createLog("error", new Writable({ write: (_chunk, _encoding, done) => done() })).log;
const config = nodeConfigSchema.parse({
  bus: {
    broker: { port: 0, anonymous: true, quotas: { messagesPerSecond: 1_000_000, burst: 1_000_000 } },
  },
});
if (config.bus.broker === undefined) throw new Error("no broker in the configuration");
const broker = await startBroker({
  id: "edge",
  config: config.bus.broker,
  // The client that asks for the echo plays a server of its own.
  identities: {
    ...noIdentities,
    roleOf: (id) => (id === "bench" ? "server" : undefined),
    verifyPassword: () => Promise.resolve(true),
  },
  log,
});
const core = createCoreService({
  id: "edge",
  boot: 1,
  connection: broker.connect(),
  requests: config.requests,
  log,
});
await core.start();
process.stdout.write(`${JSON.stringify({ port: broker.port })}\n`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
