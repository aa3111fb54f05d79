/** Opens a serial port of this machine at 115,200 baud, 8N1: the ST-LINK of a board, or any other path of a terminal. */
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { SerialStreams } from "./serial-console.js";

export interface OpenPort extends SerialStreams {
  close(): Promise<void>;
}

const baudRate = 115_200;

/**
 * `path`: as /dev/ttyACM0; undefined: the only port that is a board's debugger.
 * @throws UserError TMC5101 (none or several found), TMC5102 (cannot be opened).
 */
export async function openPort(path: string | undefined): Promise<OpenPort> {
  const { SerialPort } = await import("serialport");
  const chosen = path ?? onlyBoard((await SerialPort.list()).filter(isDebugger).map((port) => port.path));
  const port = new SerialPort({ path: chosen, baudRate, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(cannotOpen(chosen, error))));
  });
  return {
    input: port,
    output: port,
    close: () => new Promise((resolve) => port.close(() => resolve())),
  };
}

/** ST-LINK, DAPLink, J-Link. */
function isDebugger(port: { readonly vendorId?: string | undefined }): boolean {
  return ["0483", "0d28", "1366"].includes(port.vendorId?.toLowerCase() ?? "");
}

function onlyBoard(paths: readonly string[]): string {
  const [first, ...others] = paths;
  if (first !== undefined && others.length === 0) return first;
  throw new UserError(
    "TMC5101",
    first === undefined ? "no board is connected" : `several boards are connected: ${paths.join(", ")}`,
    first === undefined
      ? "connect the board's USB ST-LINK, or name the port: --port /dev/ttyACM0"
      : `name one: --port ${first}`,
    ExitCode.usage,
  );
}

function cannotOpen(path: string, error: Error): UserError {
  const denied = /permission|EACCES/i.test(error.message);
  return new UserError(
    "TMC5102",
    `cannot open ${path}: ${error.message.replace(/^Error:\s*/, "")}`,
    denied
      ? "become a member of its group (on Debian: sudo adduser $USER dialout), then log in again"
      : "check that it exists and that no other program (a terminal, tmc monitor) has it open",
    ExitCode.failed,
  );
}
