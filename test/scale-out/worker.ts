/** One worker of the server "edge", as a process: arguments are its name, the broker's URL, the URL of Redis. */
import { MqttConnection } from "../../host/bus/mqtt-connection.js";
import { createCoreService } from "../../host/node/core/service.js";
import { createLog } from "../../host/node/log.js";
import { RedisWorkerGroup } from "../../host/node/scale-out/redis-worker-group.js";
import { SharedConnection } from "../../host/node/scale-out/shared-connection.js";

const [worker = "", url = "", redis = ""] = process.argv.slice(2);
const { log } = createLog("warn", process.stderr);
const inner = MqttConnection.open({
  url,
  clientId: `edge-${worker}`,
  backoffMs: [100, 500],
  onProblem: (text) => log.warn(text),
});
await inner.ready(30_000);
const group = await RedisWorkerGroup.join({ url: redis, server: "edge", worker });
const connection = new SharedConnection(inner, group, "edge", log);
const core = createCoreService({ id: "edge", boot: 1, connection, log });
await core.start();
process.on("SIGUSR1", () => {
  process.stderr.write(
    `counts ${JSON.stringify({ ...connection.counts, answered: core.counters().answered })}\n`,
  );
});
process.stderr.write(`worker ${worker} runs\n`);
