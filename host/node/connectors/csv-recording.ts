/**
 * A recording: a CSV file whose first line names the channels and whose other lines are frames of finite numbers. Times
 * are not read: frames come at the rate that is asked for, after the last the first again. Read once and checked
 * whole, as the simulated C node does.
 */
import { readFileSync, statSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import type { FrameSource } from "./generators.js";
import { parseNumber } from "./sysfs.js";

const fileLimit = 64 * 1024 * 1024;
const columnsLimit = 256;

/** The columns `channels`, in this order. @throws UserError TMC6603 */
export function openRecording(sensor: string, path: string, channels: readonly string[]): FrameSource {
  const values = readRecording(sensor, path, channels);
  const frames = values.length / channels.length;
  let cursor = 0;
  return () => {
    const frame = values.subarray(cursor * channels.length, (cursor + 1) * channels.length);
    cursor = (cursor + 1) % frames;
    return Array.from(frame);
  };
}

function readRecording(sensor: string, path: string, channels: readonly string[]): Float32Array {
  const refuse = (why: string): UserError =>
    new UserError(
      "TMC6603",
      `connectors: replay: ${sensor}: ${path}: ${why}`,
      "the first line names the channels, every other line is a frame of numbers, separated by commas",
    );
  let rows: string[][];
  try {
    if (statSync(path).size > fileLimit) throw refuse(`larger than ${fileLimit / 1024 / 1024} MB`);
    rows = parse(readFileSync(path), { bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refuse(
      error instanceof Error ? error.message.replace(path, "").replace(/, \w+ ''$/, "") : "unreadable",
    );
  }
  const [header, ...frames] = rows;
  if (header === undefined || frames.length === 0) throw refuse("no frames");
  if (header.length > columnsLimit) throw refuse(`more than ${columnsLimit} columns`);
  const columns = channels.map((channel) => {
    const column = header.indexOf(channel);
    if (column < 0) throw refuse(`no column ${channel}; there are ${header.slice(0, 16).join(", ")}`);
    return column;
  });
  const values = new Float32Array(frames.length * channels.length);
  for (const [i, frame] of frames.entries()) {
    for (const [c, column] of columns.entries()) {
      const value = parseNumber(frame[column] ?? "");
      if (value === undefined || !Number.isFinite(Math.fround(value))) {
        throw refuse(`frame ${i + 1}, ${channels[c] ?? ""}: expected a finite number`);
      }
      values[i * channels.length + c] = value;
    }
  }
  return values;
}
