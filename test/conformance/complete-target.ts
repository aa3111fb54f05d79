/** A complete node that the kit starts, with a sensor, small quotas, and a neighbouring server that the kit plays. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packagePath } from "../../compiler/board/package-root.js";
import { Child } from "../support/child.js";
import { openBroker, type OpenBroker, type OpenBrokerOptions, type Passing } from "../support/open-broker.js";
import { playServer } from "./played-node.js";
import { seen, type Seen, type Tamper } from "./tamper.js";
import type { StartedTarget } from "./targets.js";

/**
 * `tmc node start` as a process of its own, on an open broker, with a sensor that a generator plays, small quotas, and a
 * neighbouring server that the kit plays on a second broker. `tamper`: both brokers are dishonest.
 */
export async function startComplete(tamper?: Tamper): Promise<StartedTarget> {
  const folder = mkdtempSync(join(tmpdir(), "tmc-conformance-"));
  const broken = (bus: Seen["bus"]): OpenBrokerOptions => {
    if (tamper === undefined) return {};
    const toNeighbour = (message: Passing): void => nextBroker.publish(message);
    return {
      pass: (message, publisher) =>
        tamper(seen(message, publisher === "edge", bus), toNeighbour) ?? [message],
    };
  };
  const nextBroker: OpenBroker = await openBroker(broken("neighbour"));
  const broker = await openBroker(broken("own"));
  const neighbour = await playServer(nextBroker.url, "kit-next", "edge");
  const limits = { inFlightPerNode: 2, queuePerNode: 2 };
  const file = join(folder, "node.yaml");
  const sensor = { name: "machine", channels: 3, rate: 100 };
  const config = {
    id: "edge",
    bus: { external: { url: broker.url } },
    neighbours: [{ id: "kit-next", url: nextBroker.url }],
    requests: limits,
    management: { enabled: false },
    log: { level: "warn" },
    connectors: [
      {
        kind: "replay",
        sensors: [
          {
            name: sensor.name,
            source: "generator:vibration-bearing",
            channels: ["x", "y", "z"],
            unit: "g",
            rate: sensor.rate,
          },
        ],
      },
    ],
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config));
  const start = async (): Promise<Child> => {
    const entry = packagePath("test", "support", "tmc-from-source.ts");
    const args = ["--import", import.meta.resolve("tsx"), entry, "node", "start", "--config", file];
    const child = await Child.start(process.execPath, args, { name: "tmc node start", cwd: packagePath() });
    await child.waitForLine("is running", 60_000);
    return child;
  };
  let child = await start();
  return {
    name: "complete",
    under: {
      url: broker.url,
      server: "edge",
      node: "edge",
      kind: "complete",
      limits,
      sensor,
      neighbour,
      controls: {
        restart: async () => {
          await child.stop("SIGKILL");
          child = await start();
        },
      },
    },
    async stop() {
      await child.stop();
      await neighbour.wire.close();
      await broker.close();
      await nextBroker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
