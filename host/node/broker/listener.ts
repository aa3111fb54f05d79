/**
 * Sockets of the broker: how many, how fast, how large, how long silent. What comes through is given to aedes; MQTT
 * itself is not known here.
 */
import { createServer, isIP, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from "node:tls";
import type { AddressGate } from "./address-gate.js";
import type { Refusals } from "./refusals.js";
import { PacketGuard, type PacketLimits } from "./packet-guard.js";
import { TokenBucket } from "./token-bucket.js";

export interface ListenerLimits extends PacketLimits {
  readonly connections: number;
  readonly packetsPerSecond: number;
  readonly burst: number;
  /** A packet that was begun is complete within this time, ms. */
  readonly packetMs: number;
  /** So is a TLS handshake. */
  readonly handshakeMs: number;
  /** Of a connection that has not proved who it is: CONNECT, and what comes with it. */
  readonly unprovenBytes: number;
}

/** PEM. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export type SocketHandler = (socket: Socket, secure: TLSSocket | undefined) => void;

interface Guarded {
  readonly guard: PacketGuard;
  /** Count of packets when the incomplete one was first seen, and when. */
  packets: number;
  since: number | undefined;
  /** Read so far; Infinity: it proved who it is, and may send as much as it likes. */
  allowance: number;
}

const sweepMs = 1_000;
const tooMany = {
  address: "too many in a short time, or too many failed log-ins",
  "half-open": "too many that have not said who they are",
} as const;

/** Both of TLS, the raw socket and the one that is read. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** Loopback, where nobody else listens. */
export function isLoopback(host: string): boolean {
  return (
    host === "localhost" ||
    host === "::1" ||
    host === "::ffff:127.0.0.1" ||
    (isIP(host) === 4 && host.startsWith("127."))
  );
}

export class Listeners {
  private readonly servers: (Server | TlsServer)[] = [];
  /** Every TCP connection, and those that may speak MQTT (with TLS: another object). */
  private readonly sockets = new Set<Socket>();
  private readonly guarded = new Map<Socket, Guarded>();
  private readonly sweeper: NodeJS.Timeout;
  /** By remote address and port: connections that have not proved who they are. */
  private readonly unproven = new Map<string, string>();
  private tlsServer: TlsServer | undefined;

  constructor(
    private readonly limits: ListenerLimits,
    private readonly gate: AddressGate,
    private readonly refusals: Refusals,
    private readonly handle: SocketHandler,
  ) {
    this.sweeper = setInterval(() => this.sweep(), Math.min(sweepMs, limits.packetMs / 2));
    this.sweeper.unref();
  }

  get connections(): number {
    return this.sockets.size;
  }

  /** Plain TCP. Resolves with the port. @throws the system's error. */
  async listen(host: string, port: number): Promise<number> {
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
    server.on("connection", (socket) => {
      if (this.admit(socket)) this.begin(socket, undefined);
    });
    return this.open(server, host, port);
  }

  /** TLS; clients show a certificate of the CA. */
  async listenTls(host: string, port: number, material: TlsMaterial): Promise<number> {
    const server = createTlsServer({
      ...material,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      handshakeTimeout: this.limits.handshakeMs,
      ALPNProtocols: ["mqtt"],
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    });
    // The raw socket comes first, and counts from then on.
    server.on("connection", (socket: Socket) => void this.admit(socket));
    server.on("secureConnection", (socket) => this.begin(socket, socket));
    server.on("tlsClientError", (error, socket) => {
      const address = socket.remoteAddress ?? "";
      this.refusals.add("credentials", address, `TLS: ${error.message}`);
      // A connection that only ends has tried nothing.
      if (!("code" in error && error.code === "ECONNRESET")) this.gate.failed(address);
      socket.destroy();
    });
    this.tlsServer = server;
    return this.open(server, host, port);
  }

  /** New certificates, for connections from now on. */
  renewTls(material: TlsMaterial): void {
    this.tlsServer?.setSecureContext({ ...material, minVersion: "TLSv1.2" });
  }

  private open(server: Server | TlsServer, host: string, port: number): Promise<number> {
    this.servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.removeListener("error", reject);
        // Out of file descriptors, for one: connections fail, the broker lives.
        server.on("error", (error) => this.refusals.add("connections", host, error.message));
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  private admit(socket: Socket): boolean {
    socket.on("error", () => socket.destroy());
    if (this.sockets.size >= this.limits.connections) {
      this.refusals.add("connections", socket.remoteAddress ?? "", "no room for more connections");
      socket.destroy();
      return false;
    }
    const address = socket.remoteAddress ?? "";
    const why = this.gate.enter(address);
    if (why !== undefined) {
      this.refusals.add(why, address, `connections: ${tooMany[why]}`);
      socket.destroy();
      return false;
    }
    this.sockets.add(socket);
    const name = nameOf(socket);
    this.unproven.set(name, address);
    socket.once("close", () => {
      this.sockets.delete(socket);
      if (this.unproven.delete(name)) this.gate.left(address);
    });
    return true;
  }

  /** It is a client now; `socket` as it was handed out. */
  proven(socket: Socket): void {
    const guarded = this.guarded.get(socket);
    if (guarded !== undefined) guarded.allowance = Infinity;
    const name = nameOf(socket);
    const address = this.unproven.get(name);
    if (address !== undefined && this.unproven.delete(name)) this.gate.proven(address);
  }

  private begin(socket: Socket, secure: TLSSocket | undefined): void {
    const guard = new PacketGuard(this.limits);
    const guarded = { guard, packets: 0, since: undefined, allowance: this.limits.unprovenBytes };
    this.guarded.set(socket, guarded);
    socket.once("close", () => this.guarded.delete(socket));
    socket.on("error", () => socket.destroy());
    this.throttle(socket, guarded);
    gatherWrites(socket);
    this.handle(socket, secure);
  }

  /**
   * Looks at the bytes before aedes reads them. Above the rate nothing is read for a while: TCP slows the client down,
   * nothing is lost.
   */
  private throttle(socket: Socket, guarded: Guarded): void {
    const { guard } = guarded;
    const read = socket.read.bind(socket);
    const bucket = new TokenBucket(this.limits.packetsPerSecond, this.limits.burst, Date.now());
    let until = 0;
    let timer: NodeJS.Timeout | undefined;
    socket.once("close", () => clearTimeout(timer));
    socket.read = (size?: number): unknown => {
      if (size === 0) return read(0);
      const now = Date.now();
      if (now < until) return null;
      const chunk: unknown = read(size);
      if (!(chunk instanceof Buffer)) return chunk;
      const before = guard.packets;
      guarded.allowance -= chunk.length;
      const fault = guard.push(chunk) ?? (guarded.allowance < 0 ? "oversized" : undefined);
      if (fault !== undefined) {
        this.refusals.add(fault, socket.remoteAddress ?? "", `a packet is ${fault}`);
        socket.destroy();
        return null;
      }
      const wait = bucket.take(guard.packets - before, now);
      if (wait > 0) {
        until = now + wait;
        timer = setTimeout(() => socket.emit("readable"), wait);
      }
      return chunk;
    };
  }

  private sweep(): void {
    const now = Date.now();
    for (const [socket, guarded] of this.guarded) {
      const { guard } = guarded;
      if (!guard.incomplete || guard.packets !== guarded.packets) {
        guarded.since = guard.incomplete ? now : undefined;
        guarded.packets = guard.packets;
      } else if (guarded.since === undefined) {
        guarded.since = now;
      } else if (now - guarded.since > this.limits.packetMs) {
        this.refusals.add("timeout", socket.remoteAddress ?? "", "a packet is not complete in time");
        socket.destroy();
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper);
    const closed = this.servers.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const socket of [...this.guarded.keys(), ...this.sockets]) socket.destroy();
    await Promise.all(closed);
  }
}

/**
 * What is written in one turn of the event loop leaves together: an acknowledgement and the messages that follow from a
 * packet are one system call, which is most of what a small message costs.
 */
function gatherWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let gathering = false;
  const release = (): void => {
    gathering = false;
    socket.uncork();
  };
  socket.write = (...args: unknown[]): boolean => {
    if (!gathering) {
      gathering = true;
      socket.cork();
      setImmediate(release);
    }
    return write(...args);
  };
}
