/** The numbers of `docs/protocol.cddl` that code needs by name. */

export const protocolVersion = 1;
/** Bytes of the largest payload that a minimal node takes and makes, when its app does not say. */
export const maxMessage = 1024;
export const maxNodeId = 23;
export const maxUnit = 15;
export const maxRank = 6;

export enum ErrorCode {
  None = 0,
  BadRequest = 1,
  UnknownOperation = 2,
  NoCapableNode = 3,
  DescriptorMismatch = 4,
  NotFound = 5,
  TooLarge = 6,
  Busy = 7,
  Deadline = 8,
  HopsExhausted = 9,
  Forbidden = 10,
  Version = 11,
  Corrupt = 12,
  NoSpace = 13,
  FunctionFailed = 14,
  Cancelled = 15,
  Internal = 16,
}

/** Element types of data; raw data is little-endian. */
export enum ElementType {
  I8 = 0,
  U8 = 1,
  I16 = 2,
  U16 = 3,
  I32 = 4,
  U32 = 5,
  F32 = 6,
  F64 = 7,
  Text = 8,
}

/** The two acknowledgements. */
export enum Stage {
  Accepted = 1,
  Done = 2,
}

/** Bits of the error flags in state and monitor records. */
export enum NodeFlag {
  Trapped = 1,
  SettingsUnreadable = 2,
  /** A sensor or an actuator. */
  SensorMissing = 4,
  /** The boot before ended in a crash. */
  Crashed = 8,
}
