/** The proxy of the soak test by itself; and a short soak of a node on Zephyr, where there is a workspace (`npm run soak` runs long ones). */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildTimeout, noWorkspace } from "../zephyr/support/zephyr-node.js";
import { LossyProxy } from "./lossy-proxy.js";
import { growth, type Marks } from "./memory.js";
import { soak } from "./soak.js";
import { findTarget } from "./targets.js";

describe("the proxy of the soak", () => {
  let echo: Server;
  let proxy: LossyProxy;
  beforeAll(async () => {
    echo = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    proxy = await LossyProxy.start((echo.address() as AddressInfo).port, () => 0.1);
  });
  afterAll(async () => {
    await proxy.stop();
    echo.close();
  });

  async function open(): Promise<Socket> {
    const socket = connect(proxy.port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  }
  async function echoed(socket: Socket, text: string): Promise<string> {
    let seen = "";
    const whole = new Promise<void>((resolve) => {
      const take = (bytes: Buffer): void => {
        seen += bytes.toString("latin1");
        if (seen.length < text.length) return;
        socket.off("data", take);
        resolve();
      };
      socket.on("data", take);
    });
    socket.write(text);
    await whole;
    return seen;
  }

  it.each(["clear", "slow", "split", "merged", "lossy"] as const)(
    "passes everything in order when it is %s",
    async (weather) => {
      proxy.set(weather);
      const socket = await open();
      const text = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join("");
      expect(await echoed(socket, text)).toBe(text);
      socket.destroy();
      proxy.set("clear");
    },
  );
  it("holds everything back when it is stalled, and loses nothing", async () => {
    const socket = await open();
    expect(await echoed(socket, "one")).toBe("one");
    proxy.set("stalled");
    let passed = false;
    const later = echoed(socket, "two").finally(() => {
      passed = true;
    });
    const direct = connect((echo.address() as AddressInfo).port, "127.0.0.1");
    for (let i = 0; i < 20; i++) await echoed(direct, "round");
    direct.destroy();
    expect(passed).toBe(false);
    proxy.set("clear");
    expect(await later).toBe("two");
    socket.destroy();
  });
  it("resets connections", async () => {
    const socket = await open();
    await echoed(socket, "one");
    const failed = once(socket, "error");
    proxy.reset();
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
  });
});

describe("what grew", () => {
  const early: Marks = {
    outbox: 90,
    outboxMost: 4000,
    tls: 11_900,
    tlsMost: 17_300,
    stackFree: 6680,
    rss: 3300,
  };
  it.each<[string, Partial<Marks>, string[]]>([
    ["nothing", {}, []],
    ["what differs between sessions and interrupts", { outbox: 500, tls: 11_950, stackFree: 6600 }, []],
    ["the process", { rss: 4000 }, ["the process grew from 3300 to 4000 KiB"]],
    ["a session", { tls: 12_900 }, ["TLS holds 12900 bytes, not 11900"]],
    ["the arena's mark", { tlsMost: 18_900 }, ["TLS held at most 18900 bytes, not 17300"]],
    ["the outbox", { outbox: 3900 }, ["3900 bytes are kept that should have been acknowledged"]],
    ["the stack", { stackFree: 6000 }, ["6000 bytes of stack were never used, not 6680"]],
  ])("is told: %s", (_, change, expected) => {
    expect(growth(early, { ...early, ...change })).toEqual(expected);
  });
});

describe.skipIf(noWorkspace !== "")(`a short soak${noWorkspace}`, () => {
  it(
    "leaves no request without an answer or a reason",
    async () => {
      const result = await soak({ target: findTarget("native_sim"), minutes: 0.3, seed: 1 });
      expect(result.failures).toEqual([]);
      expect(result.answered).toBeGreaterThan(0);
      expect(result.answered + result.lost).toBe(result.requests);
    },
    buildTimeout,
  );
});
