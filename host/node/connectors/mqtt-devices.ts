/**
 * Devices that speak plain MQTT, as Tasmota, Zigbee2MQTT, ESPHome and home-made ones do: a sensor is a topic, an actuator a
 * topic to set it and one that tells its state. Each message is one frame; the device decides when it measures.
 */
import type { BusConnection } from "../../bus/connection.js";
import type { Log } from "../log.js";
import { OperationFailure } from "../operations/operation.js";
import type { Actuator, Connector, SensorDescription, SensorSource, Window } from "./connector.js";
import { readFields, readPlain } from "./mqtt-payload.js";
import { abortFailure, checkWindow } from "./sampling.js";

export interface MqttSensor {
  readonly name: string;
  readonly topic: string;
  readonly fields?: readonly string[] | undefined;
  readonly unit?: string | undefined;
  readonly rate?: number | undefined;
}

export interface MqttActuator {
  readonly name: string;
  readonly topic: string;
  readonly stateTopic?: string | undefined;
  readonly unit?: string | undefined;
  readonly min: number;
  readonly max: number;
}

export interface MqttDevices {
  readonly sensors: readonly MqttSensor[];
  readonly actuators: readonly MqttActuator[];
}

/** How long a device may take to tell its new state. */
const confirmMs = 5_000;

export class MqttConnector implements Connector {
  readonly name = "mqtt";
  private readonly sources: readonly MqttSource[];
  private readonly switches: readonly MqttSwitch[];
  private bus: BusConnection | undefined;

  /** `connect` gives the bus; `owned`: closed with the connector; `now` in ms. */
  constructor(
    private readonly devices: MqttDevices,
    private readonly connect: () => Promise<BusConnection>,
    private readonly owned: boolean,
    log: Log,
    now: () => number = () => performance.now(),
  ) {
    this.sources = devices.sensors.map((sensor) => new MqttSource(sensor, log, now));
    this.switches = devices.actuators.map(
      (actuator) =>
        new MqttSwitch(actuator, (payload) => {
          if (this.bus === undefined) throw new OperationFailure("function-failed", "not connected");
          return this.bus.publish(actuator.topic, Buffer.from(payload), { qos: 1 });
        }),
    );
  }

  sensors(): readonly SensorSource[] {
    return this.sources;
  }

  actuators(): readonly Actuator[] {
    return this.switches;
  }

  async start(): Promise<void> {
    const bus = await this.connect();
    this.bus = bus;
    bus.onMessage((topic, payload) => {
      for (const source of this.sources) if (source.topic === topic) source.receive(payload);
      for (const each of this.switches) if (each.stateTopic === topic) each.receive(payload);
    });
    const topics = new Set([
      ...this.devices.sensors.map(({ topic }) => topic),
      ...this.devices.actuators.flatMap(({ stateTopic }) => stateTopic ?? []),
    ]);
    if (topics.size > 0) await bus.subscribe([...topics]);
  }

  async close(): Promise<void> {
    const { bus } = this;
    this.bus = undefined;
    if (this.owned) await bus?.close();
  }
}

class MqttSource implements SensorSource {
  readonly description: SensorDescription;
  readonly topic: string;
  private readonly listeners = new Set<(frame: readonly number[]) => void>();
  private unreadable = 0;

  constructor(
    private readonly sensor: MqttSensor,
    private readonly log: Log,
    private readonly now: () => number,
  ) {
    this.topic = sensor.topic;
    this.description = {
      name: sensor.name,
      channels: sensor.fields?.length || 1,
      ...(sensor.unit === undefined ? {} : { unit: sensor.unit }),
      ...(sensor.rate === undefined ? {} : { rate: sensor.rate, highestRate: sensor.rate }),
      ...(sensor.fields === undefined ? {} : { channelNames: sensor.fields }),
    };
  }

  receive(payload: Uint8Array): void {
    const { fields } = this.sensor;
    const plain = fields === undefined || fields.length === 0 ? readPlain(payload) : undefined;
    const frame = fields?.length ? readFields(payload, fields) : plain === undefined ? undefined : [plain];
    if (frame === undefined) {
      // Once: a broken device sends for ever.
      if (this.unreadable++ === 0) {
        this.log.warn({ sensor: this.sensor.name, bytes: payload.length }, "unreadable payload of a sensor");
      }
      return;
    }
    for (const listener of [...this.listeners]) listener(frame);
  }

  /**
   * Messages that come sooner than half a period after their predecessor's time are skipped; a gap counts the frames
   * that should have been in it as lost.
   */
  collect(frames: number, rate: number, signal: AbortSignal): Promise<Window> {
    const { description, listeners } = this;
    const unreadableBefore = this.unreadable;
    return new Promise((resolve, reject) => {
      checkWindow(description, frames, rate);
      if (signal.aborted) throw abortFailure(signal);
      const samples = new Float32Array(frames * description.channels);
      let taken = 0;
      let lost = 0;
      let startedAt = 0;
      let lastSlot = 0;
      const listener = (frame: readonly number[]): void => {
        const now = this.now();
        if (taken === 0) startedAt = now;
        const slot = taken === 0 ? 0 : Math.round(((now - startedAt) * rate) / 1000);
        if (taken > 0 && slot <= lastSlot) return;
        if (taken > 0) lost += slot - lastSlot - 1;
        lastSlot = slot;
        samples.set(frame, taken * description.channels);
        taken++;
        if (taken === frames) {
          stop();
          resolve({ samples, frames, lost });
        }
      };
      const onAbort = (): void => {
        stop();
        const failure = abortFailure(signal);
        const unreadable = this.unreadable - unreadableBefore;
        const seen = `${taken} of ${frames} frames came${unreadable > 0 ? `, ${unreadable} unreadable` : ""}`;
        reject(failure.code === "deadline" ? new OperationFailure("deadline", seen) : failure);
      };
      const stop = (): void => {
        listeners.delete(listener);
        signal.removeEventListener("abort", onAbort);
      };
      listeners.add(listener);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}

class MqttSwitch implements Actuator {
  readonly name: string;
  readonly unit?: string;
  readonly min: number;
  readonly max: number;
  readonly stateTopic: string | undefined;
  /** Last that the device told, or, when it tells nothing, last that was sent. */
  private state: number | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    actuator: MqttActuator,
    private readonly send: (payload: string) => Promise<void>,
  ) {
    this.name = actuator.name;
    if (actuator.unit !== undefined) this.unit = actuator.unit;
    this.min = actuator.min;
    this.max = actuator.max;
    this.stateTopic = actuator.stateTopic;
  }

  receive(payload: Uint8Array): void {
    const value = readPlain(payload);
    if (value === undefined) return;
    this.state = value;
    for (const listener of [...this.listeners]) listener();
  }

  async set(value: number, signal: AbortSignal): Promise<void> {
    if (!(value >= this.min && value <= this.max)) {
      throw new OperationFailure("bad-request", `${this.min} to ${this.max}`, this.name);
    }
    if (signal.aborted) throw abortFailure(signal);
    const told = this.stateTopic === undefined ? undefined : this.untilTold(value, signal);
    // The rejection is looked at below; until then nobody else may complain of it.
    told?.catch(() => undefined);
    try {
      await this.send(String(value));
    } catch (error) {
      if (error instanceof OperationFailure) throw error;
      throw new OperationFailure("function-failed", `${this.name}: the broker did not take it`);
    }
    if (told === undefined) this.state = value;
    else await told;
  }

  get(): Promise<number> {
    return this.state === undefined
      ? Promise.reject(new OperationFailure("function-failed", `${this.name}: its state is not known yet`))
      : Promise.resolve(this.state);
  }

  private untilTold(value: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let heard = false;
      const finish = (failure?: OperationFailure): void => {
        clearTimeout(timer);
        this.listeners.delete(listener);
        signal.removeEventListener("abort", onAbort);
        if (failure === undefined) resolve();
        else reject(failure);
      };
      const listener = (): void => {
        heard = true;
        const tolerance = 1e-6 * Math.max(1, Math.abs(value));
        if (Math.abs((this.state ?? Number.NaN) - value) <= tolerance) finish();
      };
      const timer = setTimeout(() => {
        const text = heard ? `stayed at ${String(this.state)}` : "does not answer";
        finish(new OperationFailure("function-failed", `${this.name} ${text}`));
      }, confirmMs);
      const onAbort = (): void => finish(abortFailure(signal));
      this.listeners.add(listener);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
