/** Turns what CMake or Ninja wrote into one message that names the first cause. It runs nothing. */
import { UserError } from "../../diagnostics/user-error.js";

export interface BuildOutput {
  readonly stage: "configure" | "build";
  readonly board: string;
  readonly output: string;
  /** File that has all of it, named in the message. */
  readonly log: string;
}

/** Without colours. */
function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

/** The first line that says what went wrong; the last line when none does. */
export function firstComplaint(output: string): string {
  const lines = plain(output)
    .split("\n")
    .map((line) => line.trim());
  const patterns = [
    /^(?:.*: )?(?:fatal )?error: (?!Aborting)/i,
    /\bwarning: .*\b(?:undefined symbol|attempt to assign|malformed|is not a valid value|was assigned the value)\b/,
    /\bundefined reference to\b/,
    /^devicetree error:/i,
    /^(?:No board named|Invalid BOARD|ERROR:)/,
    /^CMake Error/,
  ];
  // Kconfig complains as a warning and then aborts: its reason comes first.
  for (const line of lines) {
    if (patterns.some((pattern) => pattern.test(line))) {
      return line.startsWith("CMake Error") ? [line, nextText(lines, line)].join(" ") : line;
    }
  }
  return lines.filter((line) => line !== "").at(-1) ?? "no output";
}

function nextText(lines: readonly string[], line: string): string {
  return lines.slice(lines.indexOf(line) + 1).find((text) => text !== "") ?? "";
}

export function buildFailure(failure: BuildOutput): UserError {
  const { stage, board, output, log } = failure;
  const text = plain(output);
  const overflow = /region `(\w+)' overflowed by (\d+) bytes/.exec(text);
  if (overflow?.[1] !== undefined) {
    const memory = overflow[1] === "FLASH" ? "flash" : overflow[1];
    return new UserError(
      "TMC5007",
      `the Zephyr image does not fit the ${memory} of ${board}: ${overflow[2]} bytes too many`,
      "Make the program or its models smaller, or lower the buffers (tmc explain TMC5007).",
    );
  }
  return stage === "configure"
    ? new UserError(
        "TMC5005",
        `Zephyr's configuration for ${board} failed: ${firstComplaint(text)}`,
        `Mend the setting it names. All messages: ${log}`,
      )
    : new UserError(
        "TMC5006",
        `the Zephyr build for ${board} failed: ${firstComplaint(text)}`,
        `All messages: ${log}`,
      );
}
