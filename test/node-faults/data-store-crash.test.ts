/**
 * kill -9 of a complete node while it stores: every acknowledged item is there after the restart, once, whole and
 * counted; requests without an answer are sent again and are stored once too.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";
import { LoadClient } from "./load-client.js";
import { lookInside } from "./look-inside.js";

const rounds = Number(process.env["TMC_CRASH_ROUNDS"] ?? 1);
let folder = "";
let node: Child | undefined;
afterEach(async () => {
  await node?.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

async function startNode(file: string): Promise<Child> {
  const program = packagePath("test", "support", "tmc-from-source.ts");
  const child = await Child.start(
    process.execPath,
    ["--import", "tsx", program, "node", "start", "--config", file],
    {
      cwd: packagePath(),
      name: "node",
    },
  );
  await child.waitForLine(/is running/, 60_000);
  return child;
}

describe("a complete node that is killed while it stores", () => {
  it("has every acknowledged item once, and stores what is sent again once", async () => {
    folder = mkdtempSync(join(tmpdir(), "tmc-kill-"));
    const port = await freePort();
    const file = join(folder, "node.yaml");
    const config = {
      state: join(folder, "state"),
      bus: { broker: { port, anonymous: true } },
      management: { enabled: false },
      functions: { enabled: false },
      log: { level: "warn" },
    };
    writeFileSync(file, JSON.stringify(config));
    const data = join(folder, "state", "data");
    const url = `mqtt://127.0.0.1:${port}`;
    const errors: string[] = [];

    let client: LoadClient | undefined;
    for (let round = 0; round <= rounds; round++) {
      node = await startNode(file);
      client = client === undefined ? await LoadClient.connect(url, 16) : await client.again(url);
      // What had no answer, and some of what had one.
      const repeated = [...client.pending, ...[...client.acknowledged].slice(-5)];
      for (const n of repeated) client.repeat(n);
      const last = round === rounds;
      if (!last) {
        client.start();
        await sleep(200 + Math.random() * 600);
      } else {
        await client.settled(20_000);
      }
      client.stop();
      await node.stop(last ? "SIGTERM" : "SIGKILL", 20_000);
      errors.push(...client.errors);
      const { found, wrong } = await lookInside(data);
      expect(wrong).toEqual([]);
      expect([...found].filter(([, times]) => times > 1)).toEqual([]);
      expect([...client.acknowledged].filter((n) => !found.has(n))).toEqual([]);
      const unknown = [...found.keys()].filter(
        (n) => !client?.acknowledged.has(n) && !client?.pending.has(n),
      );
      expect(unknown).toEqual([]);
      if (last) expect(found.size).toBe(client.acknowledged.size);
    }
    await client?.close();
    expect(errors).toEqual([]);
    console.log(`${rounds} kills of a node, ${client?.acknowledged.size ?? 0} acknowledged items`);
    expect(client?.acknowledged.size).toBeGreaterThan(20);
  });
});
