/**
 * The integer keys and enumerations of docs/protocol.cddl, as one table: the only place on the host that knows the
 * numbers. A name here is what the rest of the host calls the field.
 */

/** A field: its key, and how its value is made of further fields. */
export type Field =
  number | { readonly key: number; readonly map: Keys } | { readonly key: number; readonly list: Keys };

/** Field names of one CDDL map. */
export interface Keys {
  readonly [name: string]: Field;
}

export const protocolVersion = 1;

export const descriptorKeys = {
  elementType: 0,
  shape: 1,
  format: 2,
  rate: 3,
  unit: 4,
  scale: 5,
  zeroPoint: 6,
  usage: 7,
  labels: 8,
  features: 9,
  count: 10,
  bytes: 11,
  ttl: 12,
  digest: 13,
} as const satisfies Keys;

const selectorKeys = { name: 0, task: 1, node: 2, labels: 3 } as const satisfies Keys;

export const requestKeys = {
  version: 0,
  id: 1,
  boot: 2,
  sender: 3,
  operation: 4,
  selector: { key: 5, map: selectorKeys },
  arguments: 6,
  input: 7,
  inputDescriptor: { key: 8, map: descriptorKeys },
  acceptedOutput: { key: 9, map: descriptorKeys },
  deadlineMs: 10,
  priority: 11,
  hopsLeft: 12,
  path: 13,
  brief: 14,
} as const satisfies Keys;

export const errorKeys = {
  code: 0,
  text: 1,
  field: 2,
  retryAfterMs: 3,
  trap: 4,
  site: 5,
} as const satisfies Keys;

export const answerKeys = {
  version: 0,
  id: 1,
  boot: 2,
  sender: 3,
  stage: 4,
  node: 5,
  error: { key: 6, map: errorKeys },
  result: 7,
  output: 8,
  outputDescriptor: { key: 9, map: descriptorKeys },
  queueUs: 10,
  executionUs: 11,
} as const satisfies Keys;

const modelKeys = {
  name: 0,
  version: 1,
  digest: 2,
  task: 3,
  inputs: { key: 4, list: descriptorKeys },
  outputs: { key: 5, list: descriptorKeys },
  preprocessing: 6,
  runtime: 7,
  kernels: 8,
  cost: { key: 9, map: { flash: 0, ram: 1, stack: 2, macs: 3 } },
  parent: 11,
  signature: 12,
  stage: 13,
} as const satisfies Keys;

const functionKeys = {
  name: 0,
  version: 1,
  input: { key: 2, map: descriptorKeys },
  output: { key: 3, map: descriptorKeys },
  kind: 4,
  bounds: { key: 5, map: { flash: 0, ram: 1, stack: 2, timeUs: 3 } },
  imports: 6,
  abi: 7,
} as const satisfies Keys;

const sensorKeys = {
  name: 0,
  channels: 1,
  unit: 2,
  rate: 3,
  highestRate: 4,
  channelNames: 5,
  range: 6,
} as const satisfies Keys;

const actuatorKeys = { name: 0, channels: 1, unit: 2, range: 3, channelNames: 4 } as const satisfies Keys;

export const birthKeys = {
  version: 0,
  node: 1,
  boot: 2,
  kind: 3,
  software: 4,
  softwareVersion: 5,
  maxMsg: 6,
  queue: 7,
  operations: 8,
  sensors: { key: 9, list: sensorKeys },
  models: { key: 10, list: modelKeys },
  functions: { key: 11, list: functionKeys },
  labels: 12,
  actuators: { key: 13, list: actuatorKeys },
} as const satisfies Keys;

/** Key 8, the errors by code, is a map from code to count. */
export const counterKeys = {
  received: 0,
  answered: 1,
  malformed: 2,
  tooLarge: 3,
  duplicates: 4,
  traps: 5,
  reconnects: 6,
  unsent: 7,
  errors: 8,
} as const satisfies Keys;

/** High-water marks since boot. */
export const peakKeys = { jobs: 0, unsent: 1, frames: 2 } as const satisfies Keys;

/** kind: 1-8 an uncaught trap, 16 the watchdog, 17 a fault of the processor. */
export const crashKeys = { kind: 0, site: 1, boot: 2, work: 3 } as const satisfies Keys;

export const trapKeys = { kind: 0, site: 1 } as const satisfies Keys;

/** features: by place along the input's last dimension [min, max, mean, variance, [count of each bin]]. */
export const driftKeys = { model: 0, epoch: 1, samples: 2, features: 3 } as const satisfies Keys;

export const stateKeys = {
  version: 0,
  node: 1,
  boot: 2,
  online: 3,
  resetReason: 4,
  uptimeS: 5,
  errorFlags: 6,
  counters: { key: 7, map: counterKeys },
} as const satisfies Keys;

export const eventKeys = {
  version: 0,
  node: 1,
  boot: 2,
  number: 3,
  name: 4,
  value: 5,
} as const satisfies Keys;

/** Values of `stage` in an answer. */
export const stages = { accepted: 1, done: 2 } as const;

export const elementTypes = {
  i8: 0,
  u8: 1,
  i16: 2,
  u16: 3,
  i32: 4,
  u32: 5,
  f32: 6,
  f64: 7,
  text: 8,
} as const;

export const collectModes = { samples: 0, summary: 1 } as const;

export const errorCodes = {
  "bad-request": 1,
  "unknown-operation": 2,
  "no-capable-node": 3,
  "descriptor-mismatch": 4,
  "not-found": 5,
  "too-large": 6,
  busy: 7,
  deadline: 8,
  "hops-exhausted": 9,
  forbidden: 10,
  version: 11,
  corrupt: 12,
  "no-space": 13,
  "function-failed": 14,
  cancelled: 15,
  internal: 16,
} as const;

export type ErrorName = keyof typeof errorCodes;

export const resetReasons = [
  "unknown",
  "power-on",
  "pin",
  "software",
  "watchdog",
  "brown-out",
  "trap",
] as const;
