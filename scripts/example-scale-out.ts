/**
 * `npm run example:scale-out`: one server as three workers behind a cluster of three NATS servers, with their state in
 * Redis. Under load a worker is killed, then the NATS server through which every message goes; a table tells what became
 * of the requests. Everything it starts is stopped again. Exit code 1 when a request was lost, failed, or was executed twice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLoad, type LoadResult } from "../test/scale-out/load.js";
import { findNats, NatsCluster } from "../test/scale-out/nats-cluster.js";
import { startWorkers } from "../test/scale-out/workers.js";
import type { Child } from "../test/support/child.js";
import { findRedis, RedisServer } from "../test/support/redis-server.js";

const requests = 400;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function table(result: LoadResult): string {
  const rows: [string, number | string][] = [
    ["requests", result.sent],
    ["answered", result.answered],
    ["with an error", result.failed],
    ["with two different answers", result.different],
    ["executed by the node", result.executed],
    ["executed twice", result.executedAgain],
    ["sent again by who asked", result.resent],
    ["recognised by the node as sent again", result.dispatchedAgain],
    ["longest", `${(result.longestMs / 1000).toFixed(1)} s`],
  ];
  const widest = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, value]) => `  ${what.padEnd(widest)}  ${value}`).join("\n");
}

/** A bar for each second; of several without an answer only the first. */
function chart(bySecond: readonly number[]): string {
  return bySecond
    .map((count, i) => ({ count, second: i + 1 }))
    .filter(({ count }, i) => count > 0 || bySecond[i - 1] !== 0)
    .map(({ count, second }) => {
      return `  ${String(second).padStart(3)} s  ${String(count).padStart(3)}  ${"#".repeat(count)}`;
    })
    .join("\n");
}

const missing = [
  findNats() === undefined ? "nats-server" : "",
  findRedis() === undefined ? "redis-server" : "",
]
  .filter((name) => name !== "")
  .join(" ");
if (missing !== "") {
  process.stderr.write(`not installed: ${missing} (apt-get install ${missing})\n`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "tmc-scale-out-"));
let nats: NatsCluster | undefined;
let redis: RedisServer | undefined;
let workers: Child[] = [];
try {
  say("Starting three NATS servers, a Redis and three workers");
  const cluster = await NatsCluster.start();
  nats = cluster;
  redis = await RedisServer.start();
  const urls = cluster.urls.map((_, i) => cluster.urlsFrom(i).join());
  workers = await startWorkers({ urls, redis: redis.url, folder });
  say(`${requests} requests, one every 20 ms`);
  const result = await runLoad({
    urls: cluster.urlsFrom(cluster.messageLeader() ?? 0),
    requests,
    everyMs: 20,
    at: new Map<number, () => unknown>([
      [
        100,
        () => {
          say("Request 100: worker w1 is killed");
          return workers[1]?.stop("SIGKILL");
        },
      ],
      [
        220,
        () => {
          const leader = cluster.messageLeader() ?? 0;
          say(`Request 220: NATS server s${leader}, the leader, is killed`);
          return cluster.kill(leader);
        },
      ],
    ]),
  });
  say(`\nAnswers in each second\n${chart(result.bySecond)}\n\n${table(result)}`);
  const whole = result.answered === requests && result.failed + result.different + result.executedAgain === 0;
  process.exitCode = whole ? 0 : 1;
} finally {
  await Promise.all(workers.map((each) => each.stop("SIGKILL")));
  await Promise.all([redis?.stop(), nats?.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
