/**
 * Lines of a GPIO by the files of `/sys/class/gpio`: inputs are sensors of 0 and 1, outputs are switches. The kernel
 * keeps these files for compatibility and may be built without them; character devices (`/dev/gpiochip*`) need calls
 * that Node.js does not have, and are not served.
 */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import { OperationFailure } from "../operations/operation.js";
import type { Actuator, Connector, SensorDescription, SensorSource } from "./connector.js";
import { pollWindow } from "./sampling.js";
import { deviceFailure, isFolder, missingFolder, sampleAttribute, writeAttribute } from "./sysfs.js";

export interface GpioLine {
  readonly name: string;
  /** The kernel's number. */
  readonly line: number;
  readonly direction: "in" | "out";
}

const highestRate = 500;
/** The files of an exported line appear, and get their owner, some time after the write. */
const exportTriesMs = [0, 10, 50, 200];

export class GpioConnector implements Connector {
  readonly name = "gpio";
  private readonly inputs: readonly SensorSource[];
  private readonly outputs: readonly Actuator[];

  constructor(
    private readonly root: string,
    private readonly lines: readonly GpioLine[],
  ) {
    this.inputs = lines
      .filter(({ direction }) => direction === "in")
      .map((line) => inputLine(this.valueFile(line), line));
    this.outputs = lines
      .filter(({ direction }) => direction === "out")
      .map((line) => outputLine(this.valueFile(line), line));
  }

  sensors(): readonly SensorSource[] {
    return this.inputs;
  }

  actuators(): readonly Actuator[] {
    return this.outputs;
  }

  /** Exports the lines and sets their directions; an output keeps its level. @throws UserError TMC6602 */
  async start(): Promise<void> {
    if (!(await isFolder(this.root))) throw missingFolder(this.root, "gpio", undefined);
    for (const line of this.lines) {
      try {
        await this.exportLine(line);
      } catch (error) {
        throw new UserError(
          "TMC6602",
          `connectors: gpio: line ${line.line} (${line.name}): ${deviceFailure("", error).text.slice(2)}`,
          "check the line's number, that no driver uses it, and that this user may write the files",
        );
      }
    }
  }

  close(): Promise<void> {
    // Lines stay exported: an output must not jump when the node stops.
    return Promise.resolve();
  }

  private valueFile({ line }: GpioLine): string {
    return join(this.root, `gpio${line}`, "value");
  }

  private async exportLine({ line, direction }: GpioLine): Promise<void> {
    const folder = join(this.root, `gpio${line}`);
    if (!(await isFolder(folder))) await writeAttribute(join(this.root, "export"), String(line));
    for (const [attempt, ms] of exportTriesMs.entries()) {
      await wait(ms);
      try {
        await access(join(folder, "value"));
        // Writing "out" would set the level to low.
        const value = direction === "out" ? await sampleAttribute(join(folder, "value"), "") : 0;
        await writeAttribute(
          join(folder, "direction"),
          direction === "in" ? "in" : value === 0 ? "low" : "high",
        );
        return;
      } catch (error) {
        if (attempt === exportTriesMs.length - 1) throw error;
      }
    }
  }
}

function inputLine(file: string, { name }: GpioLine): SensorSource {
  const description: SensorDescription = { name, channels: 1, rate: 10, highestRate };
  return {
    description,
    collect: (frames, rate, signal) =>
      pollWindow(description, frames, rate, signal, async () => [await sampleAttribute(file, name)]),
  };
}

function outputLine(file: string, { name }: GpioLine): Actuator {
  return {
    name,
    min: 0,
    max: 1,
    async set(value) {
      if (value !== 0 && value !== 1) throw new OperationFailure("bad-request", "0 or 1", name);
      try {
        await writeAttribute(file, String(value));
      } catch (error) {
        throw deviceFailure(name, error);
      }
    },
    get: () => sampleAttribute(file, name),
  };
}
