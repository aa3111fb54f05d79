/**
 * The embedded broker alone in a process, for tests that kill it. Arguments: port, folder of what it keeps (default: it
 * keeps nothing). "op" is an operator. Prints "ready".
 */
import { noIdentities } from "../../host/node/broker/identities.js";
import { startTestBroker } from "../support/test-broker.js";

const [port, folder] = process.argv.slice(2);
const identities = {
  ...noIdentities,
  roleOf: (id: string) => (id === "op" ? ("operator" as const) : undefined),
  verifyPassword: () => Promise.resolve(true),
};
const options = { identities, ...(folder === undefined ? {} : { folder }) };
void startTestBroker({ port: Number(port) }, options).then(() => process.stdout.write("ready\n"));
