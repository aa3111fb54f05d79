/** Sensors without a device: recordings and generators, in real time or as fast as they are asked for. */
import { resolve } from "node:path";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import type { Connector, SensorDescription, SensorSource } from "./connector.js";
import { openRecording } from "./csv-recording.js";
import { generators, type FrameSource } from "./generators.js";
import { abortFailure, checkWindow, pause } from "./sampling.js";

export interface ReplaySensor {
  readonly name: string;
  /** A CSV file, or "generator:NAME". */
  readonly source: string;
  readonly unit?: string | undefined;
  readonly channels: readonly string[];
  readonly rate: number;
  readonly immediate: boolean;
  readonly seed: number;
}

const generatorPrefix = "generator:";

export class ReplayConnector implements Connector {
  readonly name = "replay";
  private opened: readonly SensorSource[] = [];

  /** Relative paths of recordings are those of `folder`. */
  constructor(
    private readonly configured: readonly ReplaySensor[],
    private readonly folder: string,
  ) {}

  sensors(): readonly SensorSource[] {
    return this.opened;
  }

  actuators(): readonly [] {
    return [];
  }

  /** @throws UserError TMC6603 */
  start(): Promise<void> {
    try {
      this.opened = this.configured.map((sensor) => this.open(sensor));
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): Promise<void> {
    this.opened = [];
    return Promise.resolve();
  }

  private open(sensor: ReplaySensor): SensorSource {
    const next = sensor.source.startsWith(generatorPrefix)
      ? openGenerator(sensor)
      : openRecording(sensor.name, resolve(this.folder, sensor.source), sensor.channels);
    const description: SensorDescription = {
      name: sensor.name,
      channels: sensor.channels.length,
      ...(sensor.unit === undefined ? {} : { unit: sensor.unit }),
      rate: sensor.rate,
      channelNames: sensor.channels,
    };
    return {
      description,
      async collect(frames, rate, signal) {
        checkWindow(description, frames, rate);
        if (!sensor.immediate) await pause((frames * 1000) / rate, signal);
        else if (signal.aborted) throw abortFailure(signal);
        const samples = new Float32Array(frames * description.channels);
        // What the simulated C node passes on: the period of a rate in whole millihertz.
        const period = 1000 / Math.max(1, Math.round(rate * 1000));
        for (let i = 0; i < frames; i++) samples.set(next(period), i * description.channels);
        return { samples, frames, lost: 0 };
      },
    };
  }
}

function openGenerator(sensor: ReplaySensor): FrameSource {
  const name = sensor.source.slice(generatorPrefix.length);
  const kind = generators.get(name);
  if (kind === undefined) {
    throw new UserError(
      "TMC6603",
      `connectors: replay: ${sensor.name}: no generator ${name}`,
      `there are ${[...generators.keys()].join(", ")}`,
    );
  }
  if (kind.channels !== undefined && kind.channels !== sensor.channels.length) {
    throw new UserError(
      "TMC6603",
      `connectors: replay: ${sensor.name}: ${name} has ${kind.channels} channels, not ${sensor.channels.length}`,
      `name ${kind.channels} channels`,
    );
  }
  return kind.open(sensor.seed, sensor.channels.length);
}
