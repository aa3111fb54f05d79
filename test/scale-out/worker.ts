/**
 * One worker of the server "edge", as `tmc node start` makes it: arguments are its name, the broker's URL, the URL of Redis
 * and a folder for its state. Data, models and jobs are in Redis too.
 */
import { join } from "node:path";
import { nodeConfigSchema } from "../../host/node/config.js";
import { startNode } from "../../host/node/node.js";

const [name = "", url = "", redis = "", folder = ""] = process.argv.slice(2);
const config = nodeConfigSchema.parse({
  id: "edge",
  state: join(folder, name),
  bus: { external: { url, workers: { name, redis } } },
  storage: { kind: "redis", url: redis },
  functions: { enabled: false },
  management: { enabled: false },
  log: { level: "warn" },
});
await startNode({ config, folder, file: undefined }, { logTo: process.stderr });
process.stderr.write(`worker ${name} runs\n`);
