/** Sensors and actuators of a complete node, whatever they hang on: files of Linux, MQTT devices, recordings. */

/** As the birth record describes it. */
export interface SensorDescription {
  readonly name: string;
  readonly channels: number;
  /** UCUM-like, e.g. "Cel", "m/s2". */
  readonly unit?: string;
  /** Default and highest rate, Hz. */
  readonly rate?: number;
  readonly highestRate?: number;
  readonly channelNames?: readonly string[];
}

export interface Window {
  /** Channel-interleaved frames: frames × channels. */
  readonly samples: Float32Array;
  readonly frames: number;
  /** Frames that should have been there and were not. */
  readonly lost: number;
}

export interface SensorSource {
  readonly description: SensorDescription;
  /** `frames` fresh frames at `rate` Hz. @throws OperationFailure not-found, deadline, function-failed (the device failed) */
  collect(frames: number, rate: number, signal: AbortSignal): Promise<Window>;
}

export interface Actuator {
  readonly name: string;
  /** UCUM-like; absent for switches. */
  readonly unit?: string;
  readonly min: number;
  readonly max: number;
  /** Writes a value in min..max. @throws OperationFailure */
  set(value: number, signal: AbortSignal): Promise<void>;
  get(signal: AbortSignal): Promise<number>;
}

export interface Connector {
  /** As configured: "iio", "mqtt", "replay" … */
  readonly name: string;
  sensors(): readonly SensorSource[];
  actuators(): readonly Actuator[];
  start(): Promise<void>;
  close(): Promise<void>;
}
