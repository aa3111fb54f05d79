/**
 * One worker of the server "edge", as `tmc node start` makes it: arguments are its name, the URLs of the broker's servers (commas between them), the URL of Redis
 * and a folder for its state. Data, models and jobs are in Redis too.
 */
import { join } from "node:path";
import { nodeConfigSchema } from "../../host/node/config.js";
import { startNode } from "../../host/node/node.js";

const [name = "", urls = "", redis = "", folder = ""] = process.argv.slice(2);
const [url = "", ...alternatives] = urls.split(",");
const config = nodeConfigSchema.parse({
  id: "edge",
  state: join(folder, name),
  bus: { external: { url, alternatives, workers: { name, redis } } },
  storage: { kind: "redis", url: redis },
  functions: { enabled: false },
  management: { enabled: false },
  log: { level: "warn" },
});
await startNode({ config, folder, file: undefined }, { logTo: process.stderr });
process.stderr.write(`worker ${name} runs\n`);
