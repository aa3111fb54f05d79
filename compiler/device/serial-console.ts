/**
 * The serial console of a node on Zephyr (runtime-c/port/zephyr/console.c), seen from this machine: one command, its answer,
 * between lines of the log. It knows no port (open-port.ts) and no meaning of commands (provisioning.ts).
 */
import type { Readable, Writable } from "node:stream";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

export interface SerialStreams {
  readonly input: Writable;
  readonly output: Readable;
}

/** What the device answered: words behind "tmc: ok", and the bytes of "tmc: data" lines before it. */
export interface Answer {
  readonly words: readonly string[];
  readonly data: Buffer;
}

export class SerialConsole {
  private rest = "";
  private waiting:
    { readonly take: (line: string) => void; readonly fail: (error: Error) => void } | undefined;

  /** `onLine` gets every line that is no answer: the log. */
  constructor(
    private readonly streams: SerialStreams,
    private readonly onLine: (line: string) => void = () => undefined,
  ) {
    streams.output.on("data", (chunk: Buffer) => this.receive(chunk.toString("latin1")));
    streams.output.on("close", () => this.waiting?.fail(silent("it ended")));
  }

  /**
   * Says hello until the device answers: it may be starting. Gives its id and boot counter.
   * @throws UserError TMC5103 (no answer), TMC5104 (speaks another version of the console).
   */
  async connect(timeoutMs = 30_000): Promise<{ readonly id: string; readonly boot: number }> {
    const end = Date.now() + timeoutMs;
    for (let attempt = 1; ; attempt++) {
      try {
        // The word comes back: answers to attempts that were given up may still arrive.
        const { words } = await this.command(`hello ${attempt}`, Math.min(1000, timeoutMs), String(attempt));
        if (words[0] !== "1") throw otherVersion(words[0] ?? "");
        return { id: words[1] ?? "", boot: Number(words[2]) };
      } catch (error) {
        const late = error instanceof UserError && error.code === "TMC5103";
        if (!late || Date.now() >= end) throw error;
      }
    }
  }

  /**
   * `lastWord`: an answer that ends in another is not to this command.
   * @throws UserError TMC5103 (no answer in time), TMC5105 (the device refused it).
   */
  async command(text: string, timeoutMs = 10_000, lastWord?: string): Promise<Answer> {
    const data: Buffer[] = [];
    const words = await new Promise<string[]>((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(silent(`it did not answer "${verb(text)}"`))),
        timeoutMs,
      );
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.waiting = undefined;
        act();
      };
      this.waiting = {
        fail: (error) => settle(() => reject(error)),
        take: (line) => {
          const [kind, ...rest] = line.split(" ");
          if (lastWord !== undefined && rest.at(-1) !== lastWord) return;
          if (kind === "data") data.push(Buffer.from(rest.join(""), "base64"));
          else if (kind === "ok") settle(() => resolve(rest));
          else settle(() => reject(refused(verb(text), rest.join(" "))));
        },
      };
      this.streams.input.write(`tmc ${text}\n`);
    });
    return { words, data: Buffer.concat(data) };
  }

  private receive(text: string): void {
    const lines = (this.rest + text).replaceAll("\r", "").split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("tmc: ")) this.waiting?.take(line.slice("tmc: ".length));
      else this.onLine(line);
    }
  }
}

/** A command without its arguments: they may be secret. */
function verb(text: string): string {
  return text.split(" ")[0] ?? text;
}

function silent(what: string): UserError {
  return new UserError(
    "TMC5103",
    `no answer from the device: ${what}`,
    "check the cable and the port, that no other program has it open, and that the image has CONFIG_TMC_CONSOLE",
    ExitCode.failed,
  );
}

function otherVersion(version: string): UserError {
  return new UserError(
    "TMC5104",
    `the device speaks version "${version}" of the provisioning console, this tmc version 1`,
    "flash an image of this tmc, or use the tmc that built the image",
    ExitCode.failed,
  );
}

function refused(command: string, reason: string): UserError {
  return new UserError(
    "TMC5105",
    `the device refused "${command}": ${reason}`,
    reason.startsWith("checksum")
      ? "try again: characters were lost on the line"
      : "see docs/provisioning.md for what it takes",
    ExitCode.failed,
  );
}
