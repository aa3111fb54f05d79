/**
 * How the device itself is: stack never used, high-water marks of queues, the last trap since boot, and the last crash of any
 * boot. Numbers come from the platform and the dispatcher; this file only puts them into the monitor-result.
 */
import type { CborWriter } from "../std/cbor-writer.js";
import { crashBoot, crashKind, crashSite, crashWork, resetReason, stackFree } from "../std/platform.js";
import type { Counters } from "./counters.js";
import type { Dispatcher } from "./dispatcher.js";
import { NodeFlag } from "./protocol.js";
import type { Sensor } from "./sensor.js";

/** Values of `resetReason` that say that the boot before ended in a crash. */
const watchdogReset = 4;
const trapReset = 6;

export class Health {
  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly counters: Counters,
    private readonly sensors: RomArray<Sensor>,
  ) {}

  /** Error flags that are known at the start. */
  flags(): i32 {
    const reason = resetReason();
    return reason === watchdogReset || reason === trapReset ? NodeFlag.Crashed : 0;
  }

  /** Pairs that `write` will write. */
  pairs(): i32 {
    let pairs = 1;
    if (stackFree() >= 0) pairs++;
    if (crashKind() !== 0) pairs++;
    if (this.counters.lastTrapKind !== 0) pairs++;
    return pairs;
  }

  /** Keys 7 to 10 of a monitor-result. */
  write(writer: CborWriter): void {
    const free = stackFree();
    if (free >= 0) {
      writer.writeInt(7);
      writer.writeInt(free);
    }
    let frames = 0;
    for (const sensor of this.sensors) frames = Math.max(frames, sensor.most());
    writer.writeInt(8);
    writer.beginMap(3);
    writer.writeInt(0);
    writer.writeInt(this.dispatcher.mostPending());
    writer.writeInt(1);
    writer.writeInt(this.dispatcher.mostUnsent());
    writer.writeInt(2);
    writer.writeInt(frames);
    if (crashKind() !== 0) {
      writer.writeInt(9);
      writer.beginMap(4);
      writer.writeInt(0);
      writer.writeInt(crashKind());
      writer.writeInt(1);
      writer.writeUint(crashSite());
      writer.writeInt(2);
      writer.writeUint(crashBoot());
      writer.writeInt(3);
      writer.writeText(crashWork());
    }
    if (this.counters.lastTrapKind !== 0) {
      writer.writeInt(10);
      writer.beginMap(2);
      writer.writeInt(0);
      writer.writeInt(this.counters.lastTrapKind);
      writer.writeInt(1);
      writer.writeUint(this.counters.lastTrapSite);
    }
  }
}
