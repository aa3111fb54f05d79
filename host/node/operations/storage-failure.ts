/** Storage that is full, damaged or away, as an answer tells it. */
import { StorageError } from "../storage/storage.js";
import { OperationFailure } from "./operation.js";

export function failureOf(error: StorageError): OperationFailure {
  return error.code === "unavailable"
    ? new OperationFailure("busy", "storage is not available", undefined, { retryAfterMs: 1000 })
    : new OperationFailure(error.code, error.message.slice(0, 64));
}

/** `work`, whose StorageErrors become OperationFailures. */
export async function withStorage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StorageError ? failureOf(error) : error;
  }
}
