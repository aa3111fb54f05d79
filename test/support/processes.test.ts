/** The helpers that start and stop processes: what the other tests lean on. */
import { connectAsync } from "mqtt";
import { describe, expect, it } from "vitest";
import { Child, ChildError } from "./child.js";
import { freePort } from "./free-port.js";
import { Broker, findMosquitto } from "./mosquitto.js";

const node = (script: string): Promise<Child> =>
  Child.start(process.execPath, ["-e", script], { name: "script" });

describe("child", () => {
  it("collects lines of both streams, also an unfinished last one", async () => {
    const child = await node("console.log('a\\nb'); process.stdout.write('c'); console.error('x')");
    expect(await child.exited).toEqual({ code: 0, signal: undefined });
    expect(child.text("stdout")).toBe("a\nb\nc");
    expect(child.text("stderr")).toBe("x");
  });

  it("finds lines that came before and after the question", async () => {
    const child = await node("console.log('one'); setTimeout(() => console.log('two'), 50)");
    expect(await child.waitForLine("two")).toBe("two");
    expect(await child.waitForLine(/^o/)).toBe("one");
    await expect(child.waitForLine(/^o/, 100, 1)).rejects.toThrow(ChildError);
  });

  it("says how a process ended that was waited for, with its output", async () => {
    const child = await node("console.log('almost'); process.exit(4)");
    await expect(child.waitForLine("never")).rejects.toThrow(/script ended \(exit code 4\)[^]*almost/);
    await expect(child.waitForLine("never")).rejects.toThrow("exit code 4");
  });

  it("says what does not start", async () => {
    await expect(Child.start("/nonexistent/program", [])).rejects.toThrow("cannot be started");
  });

  it("kills what does not stop, and stops twice without harm", async () => {
    const child = await node(
      "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
    );
    await child.waitForLine("up");
    expect(await child.stop("SIGTERM", 100)).toEqual({ code: -1, signal: "SIGKILL" });
    expect(await child.stop()).toEqual({ code: -1, signal: "SIGKILL" });
  });
});

const reason = findMosquitto() === undefined ? " (skipped: Mosquitto is not installed)" : "";

describe.skipIf(reason !== "")(`mosquitto${reason}`, () => {
  it("two run side by side, and one restarts on its port", async () => {
    const [one, two] = await Promise.all([Broker.start(), Broker.start()]);
    try {
      expect(one.port).not.toBe(two.port);
      await one.kill();
      await expect(connectAsync(one.url, { reconnectPeriod: 0 })).rejects.toThrow();
      await one.resume();
      const client = await connectAsync(one.url, { clientId: "seen" });
      await client.endAsync();
      expect(one.log).toContain("seen");
    } finally {
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  it("says why it does not start", async () => {
    const one = await Broker.start();
    await expect(Broker.start({ port: one.port })).rejects.toThrow("Address already in use");
    await expect(Broker.start({ config: ["nonsense true"] })).rejects.toThrow("nonsense");
    await one.stop();
  });

  it("free ports can be listened on", async () => {
    const port = await freePort();
    const broker = await Broker.start({ port });
    expect(broker.url).toBe(`mqtt://127.0.0.1:${port}`);
    await broker.stop();
  });
});
