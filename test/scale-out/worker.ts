/**
 * One worker of the server "edge", as `tmc node start` makes it: arguments are its name, the URLs of the broker's servers (commas between them), the URL of Redis
 * and a folder for its state. Data, models and jobs are in Redis too; blobs where TMC_TEST_S3 says (S3Options as JSON), if it does.
 */
import { join } from "node:path";
import { nodeConfigSchema } from "../../host/node/config.js";
import type { S3Options } from "../../host/node/storage/s3-client.js";
import { startNode } from "../../host/node/node.js";

const [name = "", urls = "", redis = "", folder = ""] = process.argv.slice(2);
const [url = "", ...alternatives] = urls.split(",");
const s3 = process.env["TMC_TEST_S3"];
let blobs = {};
if (s3 !== undefined) {
  const { accessKey, secretKey, ...rest } = JSON.parse(s3) as S3Options;
  process.env["AWS_ACCESS_KEY_ID"] = accessKey;
  process.env["AWS_SECRET_ACCESS_KEY"] = secretKey;
  blobs = { blobs: { kind: "s3", ...rest } };
}
const config = nodeConfigSchema.parse({
  id: "edge",
  state: join(folder, name),
  bus: { external: { url, alternatives, workers: { name, redis } } },
  storage: { kind: "redis", url: redis, ...blobs },
  functions: { enabled: false },
  management: { enabled: false },
  log: { level: "warn" },
});
await startNode({ config, folder, file: undefined }, { logTo: process.stderr });
process.stderr.write(`worker ${name} runs\n`);
