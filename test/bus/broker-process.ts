/** The embedded broker alone in a process, for tests that kill it. Arguments: port. Prints "ready". */
import { startTestBroker } from "../support/test-broker.js";

await startTestBroker({ port: Number(process.argv[2]) });
process.stdout.write("ready\n");
