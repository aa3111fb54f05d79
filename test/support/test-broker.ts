/** The embedded broker for tests: a free port of the loopback interface, a silent log, identities as told. */
import { Writable } from "node:stream";
import { nodeConfigSchema } from "../../host/node/config.js";
import {
  startBroker,
  type Broker,
  type BrokerConfig,
  type BrokerOptions,
} from "../../host/node/broker/broker.js";
import { noIdentities } from "../../host/node/broker/identities.js";
import { createLog, type NodeLog } from "../../host/node/log.js";

/** As in node.yaml; every default filled in. */
export function brokerConfig(broker: object = {}): BrokerConfig {
  const { bus } = nodeConfigSchema.parse({ bus: { broker: { port: 0, anonymous: true, ...broker } } });
  if (bus.broker === undefined) throw new Error("no broker in the configuration");
  return bus.broker;
}

/** Lines are kept and not printed. */
export function silentLog(): NodeLog {
  return createLog("debug", new Writable({ write: (_chunk, _encoding, done) => done() }));
}

/** Server "edge"; anonymous unless told otherwise. */
export async function startTestBroker(
  broker: object = {},
  options: Partial<BrokerOptions> = {},
): Promise<Broker & { readonly url: string }> {
  const started = await startBroker({
    id: "edge",
    config: brokerConfig(broker),
    identities: noIdentities,
    log: silentLog().log,
    ...options,
  });
  return Object.assign(started, { url: `mqtt://127.0.0.1:${started.port}` });
}
