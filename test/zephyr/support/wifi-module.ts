/**
 * An emulated Inventek ISM43362 Wi-Fi module: the AT commands that Zephyr's eswifi driver sends, over TCP as QEMU's serial
 * port (UART variant). Written from what the driver expects; nobody compared it with the module's firmware. TCP and
 * UDP clients; it reaches nothing but this machine's loopback. The board's reset resets it too: QEMU has no such line, it tells
 * by its machine protocol (QMP). Faults are switched on by the test.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** This machine's loopback, as images in QEMU call it. */
const hostAddress = "10.0.2.2";
const sockets = 4;
/** From the connection of the serial port to the first prompt, and between prompts. */
const greetingMs = 1000;
const againMs = 3000;

/** Misbehaviour of network and module; everything is off unless set. */
export interface WifiFaults {
  /** Received bytes are handed out in parts of at most so many bytes. */
  split?: number;
  /** Received bytes are held back until there are so many, or a read found nothing new. */
  merge?: number;
  /** Every reply comes so much later, ms. */
  slow?: number;
  /** A segment from the broker is lost and comes again after this time, ms, with what followed it (TCP), then the next. */
  retransmit?: number;
  /** So many more sends are answered with an error, and their bytes are gone. */
  failSends?: number;
  /** So many more replies never come. */
  dropReplies?: number;
  /** So many more connection attempts fail. */
  failConnects?: number;
}

class Slot {
  type = 0;
  address = "";
  port = 0;
  maxRead = 1460;
  timeoutMs = 30;
  socket: Socket | undefined;
  /** Instead of `socket`, of type 1. */
  udp: UdpSocket | undefined;
  received = Buffer.alloc(0);
  /** A segment that was lost and will come again, and what followed it. */
  missing: Buffer[] = [];
  /** The peer closed or reset. */
  ended = false;
  /** What was there at the last read, for `merge`. */
  seen = -1;
  wake: () => void = () => undefined;

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
    this.udp?.close();
    this.udp = undefined;
    this.received = Buffer.alloc(0);
    this.missing = [];
    this.ended = false;
    this.wake();
  }
}

export class WifiModule {
  faults: WifiFaults = {};
  /** The access point: out of reach when false. */
  inReach = true;
  joins = 0;
  /** How often the board was reset. */
  boots = 0;
  /** Commands so far, by their first two letters. */
  readonly commands = new Map<string, number>();
  private joined = false;
  private ssid = "";
  private passphrase = "";
  private selected = 0;
  private slots = Array.from({ length: sockets }, () => new Slot());
  private input = Buffer.alloc(0);
  private serial: Socket | undefined;
  private controller: Socket | undefined;
  private work = Promise.resolve();

  private constructor(
    private readonly server: Server,
    private readonly control: Server,
    private readonly network: { readonly ssid: string; passphrase: string },
  ) {
    server.on("connection", (serial) => this.attach(serial));
    control.on("connection", (socket) => this.watchResets(socket));
  }

  /** Waits for QEMU on free ports; its access point is `ssid`. */
  static async start(ssid: string, passphrase: string): Promise<WifiModule> {
    const [server, control] = [createServer({ noDelay: true }), createServer()];
    for (const each of [server, control]) {
      each.listen(0, "127.0.0.1");
      await once(each, "listening");
    }
    return new WifiModule(server, control, { ssid, passphrase });
  }

  /** What QEMU is to be started with: the module on the board's next serial port, and on its reset. */
  get qemuArgs(): readonly string[] {
    const port = (server: Server): number => (server.address() as AddressInfo).port;
    // QEMU sends byte by byte: with Nagle's algorithm a command takes 40 ms.
    return [
      ...["-serial", `tcp:127.0.0.1:${port(this.server)},nodelay=on`],
      ...["-qmp", `tcp:127.0.0.1:${port(this.control)}`],
    ];
  }

  /** Resets the TCP connections of the module: the network did. */
  reset(): void {
    for (const slot of this.slots) {
      slot.socket?.resetAndDestroy();
      if (slot.socket !== undefined) slot.ended = true;
    }
  }

  /** The module restarts by itself, in no time: connections and network are forgotten. */
  reboot(): void {
    for (const slot of this.slots) slot.close();
    this.slots = Array.from({ length: sockets }, () => new Slot());
    this.joined = false;
    this.selected = 0;
  }

  /** No faults from now on. */
  calm(): void {
    this.faults = {};
  }

  /** The access point's passphrase from now on. */
  changePassphrase(passphrase: string): void {
    this.network.passphrase = passphrase;
  }

  async close(): Promise<void> {
    this.reboot();
    this.serial?.destroy();
    this.controller?.destroy();
    for (const each of [this.server, this.control]) {
      each.close();
      await once(each, "close");
    }
  }

  private attach(serial: Socket): void {
    this.serial?.destroy();
    this.reboot();
    this.commands.clear();
    this.serial = serial;
    this.input = Buffer.alloc(0);
    serial.on("error", () => undefined);
    serial.on("data", (bytes) => {
      this.input = Buffer.concat([this.input, bytes]);
      this.work = this.work.then(() => this.serve(serial));
    });
    this.greet(serial, greetingMs);
  }

  /** Whatever resets the board: a restart, the watchdog, a crash. */
  private watchResets(socket: Socket): void {
    this.controller = socket;
    let rest = "";
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      const lines = (rest + bytes.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.includes('"QMP"')) socket.write('{"execute":"qmp_capabilities"}\n');
        if (line.includes('"RESET"')) this.resetByNode();
      }
    });
  }

  private resetByNode(): void {
    this.reboot();
    this.commands.clear();
    this.boots++;
    this.input = Buffer.alloc(0);
    if (this.serial !== undefined) this.greet(this.serial, greetingMs);
  }

  /**
   * The prompt after a reset, again and again until the driver answers: one that comes before the driver's port is open
   * is lost.
   */
  private greet(serial: Socket, afterMs: number): void {
    setTimeout(() => {
      if (serial !== this.serial || serial.destroyed || this.commands.size > 0) return;
      serial.write("\r\n> ");
      this.greet(serial, againMs);
    }, afterMs);
  }

  /** Executes the commands that are whole. */
  private async serve(serial: Socket): Promise<void> {
    for (;;) {
      const end = this.input.indexOf("\r");
      if (end < 0) return;
      const [name = "", value = ""] = this.input.subarray(0, end).toString("latin1").split("=");
      let next = end + 1;
      let data = Buffer.alloc(0);
      if (name === "S3") {
        // The driver sends one byte more than it says.
        if (this.input.length < next + Number(value) + 1) return;
        data = Buffer.from(this.input.subarray(next, next + Number(value)));
        next += Number(value) + 1;
      }
      this.input = this.input.subarray(next);
      this.commands.set(name, (this.commands.get(name) ?? 0) + 1);
      const { boots } = this;
      const reply = await this.execute(name, value, data);
      if (this.faults.slow !== undefined) await new Promise((done) => setTimeout(done, this.faults.slow));
      if (serial !== this.serial) return;
      if (boots !== this.boots) continue;
      if (this.faults.dropReplies !== undefined && this.faults.dropReplies > 0) {
        this.faults.dropReplies--;
        continue;
      }
      const status = reply === undefined ? "\r\nERROR\r\n> " : "\r\nOK\r\n> ";
      serial.write(Buffer.concat([Buffer.from("\r\n"), reply ?? Buffer.from("-1"), Buffer.from(status)]));
    }
  }

  /** The reply's data; undefined: an error. */
  private async execute(name: string, value: string, data: Buffer): Promise<Buffer | undefined> {
    const nothing = Buffer.alloc(0);
    const slot = this.slots[this.selected];
    if (slot === undefined) return undefined;
    switch (name) {
      case "Z5":
        return Buffer.from("c4:7f:51:00:00:01");
      case "C1":
        this.ssid = value;
        return nothing;
      case "C2":
        this.passphrase = value;
        return nothing;
      case "C0":
        return this.join();
      case "CD":
        this.leave();
        return nothing;
      case "CS":
        if (!this.inReach) this.leave();
        return Buffer.from(this.joined ? "1" : "0");
      case "CR":
        return Buffer.from("-40");
      case "D0":
        return this.joined ? Buffer.from(hostAddress) : undefined;
      case "P0":
        this.selected = Number(value) % sockets;
        return nothing;
      case "P1":
        slot.type = Number(value);
        return nothing;
      case "P3":
        slot.address = value;
        return nothing;
      case "P4":
        slot.port = Number(value);
        return nothing;
      case "P6":
        slot.close();
        return value === "1" ? this.open(slot) : nothing;
      case "R1":
        slot.maxRead = Number(value);
        return nothing;
      case "R2":
        slot.timeoutMs = Number(value);
        return nothing;
      case "R0":
        return this.read(slot);
      case "S3":
        return this.send(slot, data);
      default:
        return nothing;
    }
  }

  private join(): Buffer | undefined {
    const { ssid, passphrase } = this.network;
    if (!this.inReach || this.ssid !== ssid || this.passphrase !== passphrase) return undefined;
    this.joined = true;
    this.joins++;
    return Buffer.from(`[JOIN   ] ${ssid},192.168.2.18,0,0`);
  }

  private leave(): void {
    this.joined = false;
    for (const slot of this.slots) slot.close();
  }

  private async open(slot: Slot): Promise<Buffer | undefined> {
    const isHere = slot.address === hostAddress || slot.address === "127.0.0.1";
    if (!this.joined || !this.inReach || !isHere || slot.type > 1) return undefined;
    if (slot.type === 1) return this.openUdp(slot);
    if (this.faults.failConnects !== undefined && this.faults.failConnects > 0) {
      this.faults.failConnects--;
      return undefined;
    }
    const socket = connect(slot.port, "127.0.0.1").setNoDelay(true);
    slot.socket = socket;
    socket.on("data", (bytes) => this.arrive(slot, socket, bytes));
    socket.on("close", () => {
      if (slot.socket === socket) slot.ended = true;
      slot.wake();
    });
    const isOpen = await new Promise<boolean>((done) => {
      socket.once("connect", () => done(true));
      socket.on("error", () => done(false));
    });
    if (!isOpen) slot.close();
    return isOpen ? Buffer.alloc(0) : undefined;
  }

  /** A datagram that nobody fetched is lost when the next comes. */
  private async openUdp(slot: Slot): Promise<Buffer> {
    const udp = createSocket("udp4");
    slot.udp = udp;
    udp.on("error", () => undefined);
    udp.on("message", (bytes) => {
      slot.received = bytes;
      slot.wake();
    });
    udp.connect(slot.port, "127.0.0.1");
    await once(udp, "connect");
    return Buffer.alloc(0);
  }

  private arrive(slot: Slot, socket: Socket, bytes: Buffer): void {
    if (this.faults.retransmit !== undefined && slot.missing.length === 0) {
      setTimeout(() => {
        if (slot.socket !== socket) return;
        slot.received = Buffer.concat([slot.received, ...slot.missing]);
        slot.missing = [];
        slot.wake();
      }, this.faults.retransmit);
      slot.missing = [bytes];
    } else if (slot.missing.length > 0) {
      // What follows a lost segment waits for it.
      slot.missing.push(bytes);
    } else {
      slot.received = Buffer.concat([slot.received, bytes]);
      slot.wake();
    }
  }

  private async read(slot: Slot): Promise<Buffer | undefined> {
    if (slot.socket === undefined && slot.udp === undefined) return undefined;
    if (slot.received.length === 0 && !slot.ended) await this.wait(slot);
    const isOver = slot.ended && slot.missing.length === 0;
    if (slot.received.length === 0) return isOver ? undefined : Buffer.alloc(0);
    const { merge, split } = this.faults;
    if (merge !== undefined && slot.received.length < merge && slot.seen !== slot.received.length) {
      slot.seen = slot.received.length;
      return Buffer.alloc(0);
    }
    const n = Math.min(slot.maxRead, slot.received.length, split ?? slot.maxRead);
    const part = slot.received.subarray(0, n);
    slot.received = Buffer.from(slot.received.subarray(n));
    return part;
  }

  private wait(slot: Slot): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, slot.timeoutMs);
      slot.wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }

  private send(slot: Slot, data: Buffer): Buffer | undefined {
    if ((slot.socket === undefined && slot.udp === undefined) || slot.ended) return undefined;
    if (this.faults.failSends !== undefined && this.faults.failSends > 0) {
      this.faults.failSends--;
      return undefined;
    }
    slot.socket?.write(data);
    slot.udp?.send(data);
    return Buffer.from(String(data.length));
  }
}
