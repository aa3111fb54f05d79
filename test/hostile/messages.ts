/** Topics, payloads and packets that nobody should send: damaged requests, foreign names, MQTT that is none. Pure. */
import { publishPacket } from "./hostile-broker.js";
import { sessions } from "../fuzz-node/seeds.js";

/** Numbers from a seed: the same on every machine. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Requests that a node knows: the contents of records of the fuzzer's sessions. */
function requests(): Buffer[] {
  const found: Buffer[] = [];
  for (const session of sessions()) {
    for (let at = 0; at + 3 <= session.length;) {
      const size = session.readUInt16LE(at + 1);
      if (session[at] === 0 && size > 0) found.push(session.subarray(at + 3, at + 3 + size));
      at += 3 + size;
    }
  }
  return found;
}

export class HostileMessages {
  private readonly random: (below: number) => number;
  private readonly seeds = requests();

  constructor(
    seed: number,
    /** t1/SERVER/NODE/ */
    private readonly prefix: string,
  ) {
    this.random = randomFrom(seed);
  }

  /** The next bytes for the node; `breaks`: it may end the connection for them. */
  next(): { readonly bytes: Buffer; readonly breaks: boolean } {
    const { random } = this;
    const message = publishPacket(
      this.topic(),
      this.payload(),
      random(2) === 0 ? undefined : 1 + random(65535),
    );
    if (random(200) > 0) return { bytes: message, breaks: false };
    return { bytes: this.damaged(message), breaks: true };
  }

  private topic(): Buffer {
    const { prefix, random } = this;
    const kinds = [
      "x",
      "x",
      "x",
      "x",
      "x",
      "x",
      "c",
      "c",
      "r",
      "y",
      "b",
      "s",
      "e",
      "",
      "xx",
      "x/x",
      "#",
      "\u0000",
    ];
    const own = Buffer.from(`${prefix}${kinds[random(kinds.length)] ?? ""}`);
    switch (random(12)) {
      case 0:
        return this.noise(1 + random(400));
      case 1:
        return this.damaged(own);
      case 2:
        return Buffer.from("/".repeat(1 + random(130)));
      default:
        return own;
    }
  }

  private payload(): Buffer {
    const { random, seeds } = this;
    const seed = seeds[random(seeds.length)] ?? Buffer.alloc(0);
    switch (random(10)) {
      case 0:
        return this.noise(random(5000));
      case 1:
        return seed;
      case 2:
        return seed.subarray(0, random(seed.length));
      default:
        return this.damaged(seed);
    }
  }

  private noise(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.random(256)));
  }

  /** With some bytes changed, taken out or doubled. */
  private damaged(bytes: Buffer): Buffer {
    const { random } = this;
    let out = Buffer.from(bytes);
    for (let n = 1 + random(6); n > 0 && out.length > 0; n--) {
      const at = random(out.length);
      const part = out.subarray(at, at + random(16));
      const kind = random(4);
      if (kind === 0) out = Buffer.concat([out.subarray(0, at), out.subarray(at + part.length)]);
      else if (kind === 1) out = Buffer.concat([out.subarray(0, at), part, out.subarray(at)]);
      else out[at] = kind === 2 ? random(256) : (out[at] ?? 0) ^ (1 << random(8));
    }
    return out;
  }
}
