/** The node's log: structured, to stdout, and the last lines in memory for `tmc node logs` and the web page. */
import { Writable } from "node:stream";
import { pino, multistream, type Logger } from "pino";

export type Log = Logger;

export interface LogLine {
  /** ms since 1970. */
  readonly time: number;
  readonly level: number;
  readonly module: string | undefined;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface NodeLog {
  readonly log: Log;
  /** The newest `limit` lines, oldest first. */
  recent(limit: number): LogLine[];
  onLine(listener: (line: LogLine) => void): () => void;
}

const kept = 1000;

/** `destination` default: stdout. */
export function createLog(level: string, destination: NodeJS.WritableStream = process.stdout): NodeLog {
  const lines: LogLine[] = [];
  const listeners = new Set<(line: LogLine) => void>();
  const memory = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const line = JSON.parse(chunk.toString("utf8")) as LogLine;
      lines.push(line);
      if (lines.length > kept) lines.shift();
      for (const listener of listeners) listener(line);
      done();
    },
  });
  const streams = [
    { level: level as "info", stream: destination },
    { level: level as "info", stream: memory },
  ];
  const log = pino({ level, base: null }, multistream(streams));
  return {
    log,
    recent: (limit) => lines.slice(-limit),
    onLine(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
