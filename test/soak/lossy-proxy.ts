/** A TCP proxy on a bad day: it holds bytes back, delays, splits and merges them, ends connections. It changes no byte. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * clear: as they come. stalled: nothing passes. slow: each piece up to half a second late. split: up to 7 bytes at once.
 * merged: what comes within 300 ms at once. lossy: every fifth segment comes when it was sent again, 0.2 to 1.6 s later,
 * and what followed waits for it.
 */
export type Weather = "clear" | "stalled" | "slow" | "split" | "merged" | "lossy";

export class LossyProxy {
  private weather: Weather = "clear";
  private change: () => void = () => undefined;
  private changed = Promise.resolve();
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: number,
    private readonly random: () => number,
  ) {
    server.on("connection", (near) => this.carry(near));
    this.set("clear");
  }

  /** From a free port of the loopback interface to `target`. `random` gives 0 to 1. */
  static async start(target: number, random: () => number): Promise<LossyProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new LossyProxy(server, target, random);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** For connections that are there too. */
  set(weather: Weather): void {
    this.weather = weather;
    this.change();
    this.changed = new Promise((resolve) => {
      this.change = resolve;
    });
  }

  /** Ends every connection with a reset, in the middle of whatever passes. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.reset();
    this.set("clear");
    this.server.close();
    await once(this.server, "close");
  }

  private carry(near: Socket): void {
    const far = connect({ port: this.target, host: "127.0.0.1", noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.sockets.delete(from);
        to.destroy();
      });
      let last = Promise.resolve();
      let waiting: Buffer[] = [];
      from.on("data", (bytes) => {
        waiting.push(bytes);
        if (waiting.length > 1) return;
        last = last
          .then(() => this.hold())
          .then(() => {
            const piece = Buffer.concat(waiting);
            waiting = [];
            return this.pass(piece, to);
          })
          .catch(() => undefined);
      });
      from.on("end", () => {
        last = last.then(() => void to.end());
      });
    }
  }

  /** How long bytes wait before those that came meanwhile go with them. */
  private async hold(): Promise<void> {
    if (this.weather === "merged") await sleep(300);
    if (this.weather === "slow") await sleep(this.random() * 500);
    if (this.weather === "lossy" && this.random() < 0.2)
      await sleep(200 * 2 ** Math.floor(this.random() * 4));
  }

  private async pass(bytes: Buffer, to: Socket): Promise<void> {
    while (this.weather === "stalled" && !to.destroyed) {
      await Promise.race([this.changed, once(to, "close")]);
    }
    if (this.weather !== "split") {
      to.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && !to.destroyed;) {
      const size = 1 + Math.floor(this.random() * 7);
      to.write(bytes.subarray(at, at + size));
      at += size;
      await sleep(0);
    }
  }
}
