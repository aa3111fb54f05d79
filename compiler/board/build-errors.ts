/** What a failed compiler or linker means for the user: something to install, too large an image, or a bug of ours. */
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { Board } from "./board.js";
import type { ProcessResult } from "./processes.js";

/** C that is not accepted: always ours to mend (exit code 70). */
export function rejected(what: string, result: ProcessResult): UserError {
  return new UserError(
    "TMC4090",
    `${what}\n${result.stderr.toString("utf8").trimEnd()}`,
    "This is a bug in tmc: please report it with the program that shows it.",
    ExitCode.internal,
  );
}

/** C library and MQTT headers come in packages of their own. `packages`: of the port's. Undefined: it is something else. */
export function missingHeader(
  board: Board,
  packages: string | undefined,
  result: ProcessResult,
): UserError | undefined {
  const header = /fatal error: ([\w./-]+\.h): No such file/.exec(result.stderr.toString("utf8"))?.[1];
  const systemHeaders = /^(setjmp|std\w+|string|time|signal|math|errno|unistd|mosquitto|sys\/.*)\.h$/;
  if (header === undefined || !systemHeaders.test(header)) {
    return undefined;
  }
  return new UserError(
    "TMC4003",
    `board ${board.name} needs <${header}>, which is not installed`,
    `Install it: apt-get install ${header === "mosquitto.h" ? (packages ?? "") : board.toolchain.package}`,
    ExitCode.missingTool,
  );
}

/** `packages`: of the port's libraries. */
export function linkFailure(
  board: Board,
  name: string,
  packages: string | undefined,
  result: ProcessResult,
): UserError {
  const text = result.stderr.toString("utf8");
  const overflow = /region `(\w+)' overflowed by (\d+) bytes/.exec(text);
  if (overflow?.[1] !== undefined) {
    const memory = overflow[1].toLowerCase() === "flash" ? "flash" : "RAM";
    return new UserError(
      "TMC4010",
      `the image does not fit the ${memory} of board ${board.name}: ${overflow[2]} bytes too many`,
      "Make the program smaller: fewer or smaller models, buffers and tables.",
    );
  }
  if (packages !== undefined && text.includes("cannot find -l")) {
    return new UserError(
      "TMC4003",
      `board ${board.name} needs a library that is not installed: ${/cannot find (-l\w+)/.exec(text)?.[1]}`,
      `Install it: apt-get install ${packages}`,
      ExitCode.missingTool,
    );
  }
  return rejected(`the linker rejected ${name} for board ${board.name}`, result);
}
