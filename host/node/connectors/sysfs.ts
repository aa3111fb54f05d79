/**
 * Attributes of sysfs: small text files with one value. Whatever a file holds, and whatever it is (a pipe, a
 * directory, gigabytes), reading costs at most one page and ends.
 */
import { constants } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import { OperationFailure } from "../operations/operation.js";

/** An attribute of sysfs is one page at most. */
const pageBytes = 4096;

/** The text without its line end; undefined when there is no such file. @throws Error of the system, or not a file */
export async function readAttribute(path: string): Promise<string | undefined> {
  let file;
  try {
    // Not blocking: a pipe in place of the file would wait for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    if (!(await file.stat()).isFile()) throw new Error("is not a file");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(pageBytes), 0, pageBytes, 0);
    return buffer.toString("utf8", 0, bytesRead).trimEnd();
  } finally {
    await file.close();
  }
}

/** Writes a value as the kernel takes it: one write. The file must be there. @throws Error of the system */
export async function writeAttribute(path: string, value: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error("is not a file");
    // Ordinary files (tests) keep what was behind; sysfs knows no length.
    await file.truncate(0).catch(() => undefined);
    await file.write(value);
  } finally {
    await file.close();
  }
}

/** A decimal number as the kernel prints it; undefined for anything else. */
export function parseNumber(text: string): number | undefined {
  if (!/^[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** For settings found at the start: undefined when the file is missing, unreadable or holds no number. */
export async function numberAttribute(path: string): Promise<number | undefined> {
  const text = await readAttribute(path).catch(() => undefined);
  return text === undefined ? undefined : parseNumber(text);
}

/** A sample. @throws OperationFailure function-failed: the device is gone, failed, or gave no number */
export async function sampleAttribute(path: string, sensor: string): Promise<number> {
  let text: string | undefined;
  try {
    text = await readAttribute(path);
  } catch (error) {
    throw deviceFailure(sensor, error);
  }
  if (text === undefined) throw new OperationFailure("function-failed", `${sensor}: the device is gone`);
  const value = parseNumber(text);
  if (value === undefined) throw new OperationFailure("function-failed", `${sensor}: gave no number`);
  return value;
}

/** "bme280: EIO". The system's code alone: its text has paths in it. */
export function deviceFailure(device: string, error: unknown): OperationFailure {
  const code = errorCode(error) ?? "failed";
  return new OperationFailure("function-failed", `${device}: ${code}`);
}

/** Names in a folder that match, in natural order ("x2" before "x10"). @throws UserError TMC6602 when it is not there */
export async function devicesIn(root: string, pattern: RegExp, kind: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(root);
  } catch (error) {
    throw missingFolder(root, kind, error);
  }
  return naturalOrder(names.filter((name) => pattern.test(name)));
}

/** Files of a device; none when it vanished meanwhile. */
export async function attributesOf(folder: string): Promise<string[]> {
  return naturalOrder(await readdir(folder).catch(() => []));
}

export function naturalOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

export function missingFolder(root: string, kind: string, error: unknown): UserError {
  const why = errorCode(error) ?? "it cannot be read";
  return new UserError(
    "TMC6602",
    `connectors: ${kind}: ${root}: ${why}`,
    kind === "gpio"
      ? "this kernel may be built without CONFIG_GPIO_SYSFS: remove the connector, or set `root`"
      : "remove the connector from the configuration, load the driver, or set `root`",
  );
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENODEV" || code === "ENOTDIR";
}
