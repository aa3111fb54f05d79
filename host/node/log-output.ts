/**
 * How the lines of the log are written: JSON for programs, readable ones for people. pino-pretty makes the readable
 * ones and is loaded only for them. It neither makes nor keeps lines.
 */
import { Writable } from "node:stream";

export const logFormats = ["pretty", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogTarget extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
}

/** `asked`, else pretty on a terminal and JSON in a file or pipe. */
export function logFormatFor(asked: LogFormat | undefined, out: LogTarget = process.stdout): LogFormat {
  return asked ?? (out.isTTY === true ? "pretty" : "json");
}

/** Takes JSON lines and writes them to `out` in this format. Colours: on a terminal, unless NO_COLOR is set. */
export async function logOutput(
  format: LogFormat,
  out: LogTarget = process.stdout,
): Promise<NodeJS.WritableStream> {
  if (format === "json") return out;
  const { prettyFactory } = (await import("pino-pretty")).default;
  const pretty = prettyFactory({
    colorize: out.isTTY === true && (process.env["NO_COLOR"] ?? "") === "",
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "module",
    messageFormat: (line, key) => [line["module"], line[key]].filter((each) => each !== undefined).join(": "),
    singleLine: true,
  });
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      out.write(pretty(JSON.parse(chunk.toString(), withoutControls)), done);
    },
  });
}

/** What strangers send stands in lines: it must not steer a terminal, nor pass for a line of its own. */
const controls = /[\u0000-\u001f\u007f-\u009f]/g;

/** For JSON.parse. Stacks keep their lines: pino-pretty indents them. */
function withoutControls(key: string, value: unknown): unknown {
  return typeof value === "string" && key !== "stack" ? value.replace(controls, "\u{fffd}") : value;
}
