/**
 * Hardware monitors of Linux: temperatures, voltages, fans, currents, power, humidity, in base units. Sensors only:
 * fan control (`pwm*`) stays with the machine's own tools.
 */
import { join } from "node:path";
import type { Connector, SensorDescription, SensorSource } from "./connector.js";
import { freeName } from "./names.js";
import { pollWindow } from "./sampling.js";
import { attributesOf, devicesIn, readAttribute, sampleAttribute } from "./sysfs.js";

/** By the beginning of the file's name: our unit, and how many of it one unit of the kernel's ABI is. */
const kinds: Readonly<Record<string, { readonly unit: string; readonly factor: number }>> = {
  temp: { unit: "Cel", factor: 1e-3 },
  in: { unit: "V", factor: 1e-3 },
  curr: { unit: "A", factor: 1e-3 },
  power: { unit: "W", factor: 1e-6 },
  energy: { unit: "J", factor: 1e-6 },
  humidity: { unit: "%", factor: 1e-3 },
  fan: { unit: "/min", factor: 1 },
};

/** Most chips measure once or twice a second. */
const defaultRate = 1;
const highestRate = 100;
const sensorsLimit = 64;

export class HwmonConnector implements Connector {
  readonly name = "hwmon";
  private found: readonly SensorSource[] = [];

  constructor(private readonly root: string) {}

  sensors(): readonly SensorSource[] {
    return this.found;
  }

  actuators(): readonly [] {
    return [];
  }

  /** Looks for chips once. @throws UserError TMC6602 */
  async start(): Promise<void> {
    const taken = new Set<string>();
    const found: SensorSource[] = [];
    for (const chip of await devicesIn(this.root, /^hwmon\d{1,4}$/, "hwmon")) {
      const folder = join(this.root, chip);
      const chipName = (await readAttribute(join(folder, "name")).catch(() => undefined)) ?? chip;
      for (const file of await attributesOf(folder)) {
        const match = /^(([a-z]+)\d{1,4})_input$/.exec(file);
        const [, channel, kind] = match ?? [];
        if (channel === undefined || kind === undefined || !Object.hasOwn(kinds, kind)) continue;
        const label = await readAttribute(join(folder, `${channel}_label`)).catch(() => undefined);
        const name = freeName(`${chipName}.${label || channel}`, taken);
        found.push(hwmonSensor(join(folder, file), name, kind));
      }
    }
    this.found = found.slice(0, sensorsLimit);
  }

  close(): Promise<void> {
    this.found = [];
    return Promise.resolve();
  }
}

function hwmonSensor(file: string, name: string, kind: string): SensorSource {
  const { unit, factor } = kinds[kind] ?? { unit: "", factor: 1 };
  const description: SensorDescription = { name, channels: 1, unit, rate: defaultRate, highestRate };
  const read = async (): Promise<number[]> => [(await sampleAttribute(file, name)) * factor];
  return {
    description,
    collect: (frames, rate, signal) => pollWindow(description, frames, rate, signal, read),
  };
}
