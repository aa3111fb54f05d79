/**
 * Starts a Zephyr image on this machine: native_sim as a process, QEMU boards in QEMU with user networking and
 * semihosting. Who the node is and where its broker is are given at start. It builds nothing and judges no output.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import type { Board } from "../board.js";

/** This machine's loopback, seen from QEMU's user network. */
const qemuHost = "10.0.2.2";

export interface ZephyrRunOptions {
  readonly board: Board;
  /** `ZephyrImage.executable`. */
  readonly executable: string;
  /** 1-23 characters of 0-9 a-z -; default: what the device was provisioned with. */
  readonly id?: string;
  /** mqtt://HOST[:PORT], mqtts:// with credentials in its flash; a loopback name is reached from QEMU too. Default: as id. */
  readonly server?: string;
  /** Default: as id, else "edge". */
  readonly serverId?: string;
  /** Keeps the flash (settings, boot counter) over starts; made when absent. */
  readonly stateDir: string;
  /** NAME=generator:G[,seed=N] or NAME=csv:FILE; default: what the image was built with. */
  readonly sensor?: string;
  /** The watchdog's limit, ms; default: what the image was built with. */
  readonly handlerMaxMs?: number;
  /** Each line of the node's console. */
  readonly onLine?: (line: string) => void;
}

/** A started node; its serial console is the process's stdin and stdout. */
export interface ZephyrNode {
  readonly process: ChildProcess;
  /** Lines of the console so far. */
  readonly lines: readonly string[];
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  /** Resolves with the first line (past ones too) that contains `text`. @throws Error when the node ends or time is up. */
  waitFor(text: string, timeoutMs?: number): Promise<string>;
  /** Ends it: the broker then publishes the last will. */
  stop(): Promise<void>;
}

function checkId(option: string, id: string): void {
  if (!/^[0-9a-z-]{1,23}$/.test(id)) {
    throw new UserError(
      "TMC5010",
      `${option} "${id}" is no id`,
      "Use 1-23 characters of 0-9 a-z -.",
      ExitCode.usage,
    );
  }
}

/** The URL as the node is to see it; `reachable`: what it calls a host. */
function serverArgument(url: string, reachable: (host: string) => string): string {
  const match = /^(mqtts?):\/\/([^:/@\s,]+)(?::(\d{1,5}))?\/?$/.exec(url);
  const [, scheme, host, portText] = match ?? [];
  const port = Number(portText ?? (scheme === "mqtts" ? 8883 : 1883));
  if (host === undefined || port < 1 || port > 65535) {
    throw new UserError(
      "TMC5010",
      `--server ${url}: expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]`,
      "Give the broker's name or IPv4 address; credentials for mqtts:// are provisioned (tmc provision).",
      ExitCode.usage,
    );
  }
  return `${scheme}://${reachable(host)}:${port}`;
}

/** The node runs in its state folder: a recording is named from here. */
function absoluteRecording(sensor: string): string {
  return sensor.replace(/^([^=]*=csv:)(.*)$/, (_, kind: string, file: string) => kind + resolve(file));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The command that runs the image. @throws UserError TMC5009 (real hardware), TMC5010 (id, server). */
export function zephyrCommand(options: ZephyrRunOptions): { command: string; args: string[] } {
  const { board, handlerMaxMs, id, sensor, server, serverId } = options;
  if (id !== undefined) checkId("--id", id);
  if (serverId !== undefined) checkId("--server-id", serverId);
  const executable = resolve(options.executable);
  const own = (reachable: (host: string) => string): string[] => [
    ...(id === undefined ? [] : [`--id=${id}`]),
    ...(server === undefined ? [] : [`--server=${serverArgument(server, reachable)}`]),
    ...(serverId === undefined ? [] : [`--server-id=${serverId}`]),
    ...(sensor === undefined ? [] : [`--sensor=${absoluteRecording(sensor)}`]),
    ...(handlerMaxMs === undefined ? [] : [`--handler-max=${handlerMaxMs}`]),
  ];
  switch (board.run.how) {
    case "process":
      return { command: executable, args: [...own((host) => host), "--flash=flash.bin", "--seed-random"] };
    case "qemu": {
      const { binary, machine, cpu, args } = board.run;
      const words = ["tmc", ...own((host) => (isLoopback(host) ? qemuHost : host)), "--store=flash.bin"];
      // In QEMU's lists a comma is written twice.
      const semihosting = [
        "enable=on,target=native",
        ...words.map((word) => `arg=${word.replaceAll(",", ",,")}`),
      ].join(",");
      return {
        command: binary,
        args: [
          ...["-machine", machine, ...(cpu === undefined ? [] : ["-cpu", cpu])],
          ...["-display", "none", "-monitor", "none", "-serial", "stdio"],
          ...["-semihosting-config", semihosting],
          ...args,
          ...["-kernel", executable],
        ],
      };
    }
    case "flash":
      throw new UserError(
        "TMC5009",
        `board ${board.name} is real hardware: its image cannot run here`,
        "Flash it: west flash --build-dir with the folder that `tmc build` names.",
        ExitCode.usage,
      );
  }
}

/** Starts the image in `stateDir`. @throws UserError as `zephyrCommand`, TMC5008 when QEMU is not installed. */
export async function runZephyr(options: ZephyrRunOptions): Promise<ZephyrNode> {
  const { command, args } = zephyrCommand(options);
  const cwd = resolve(options.stateDir);
  mkdirSync(cwd, { recursive: true });
  const child = spawn(command, args, { cwd, stdio: ["pipe", "pipe", "pipe"] });
  const node = observe(child, options.onLine);
  await new Promise<void>((started, failed) => {
    child.once("spawn", started);
    child.once("error", (error: NodeJS.ErrnoException) => {
      failed(error.code === "ENOENT" ? missingEmulator(options.board, command) : error);
    });
  });
  return node;
}

function missingEmulator(board: Board, command: string): UserError {
  return board.run.how === "qemu"
    ? new UserError(
        "TMC5008",
        `board ${board.name} runs in ${command}, which is not installed`,
        `Install it: apt-get install ${board.run.package}`,
        ExitCode.missingTool,
      )
    : new UserError(
        "TMC5008",
        `${command} does not exist`,
        `Build it: tmc build --board ${board.name}`,
        ExitCode.usage,
      );
}

function observe(child: ChildProcess, onLine: ((line: string) => void) | undefined): ZephyrNode {
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let over = false;
  const take = (): ((chunk: Buffer) => void) => {
    let rest = "";
    return (chunk) => {
      const parts = (rest + chunk.toString("latin1")).replaceAll("\r", "").split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        lines.push(line);
        onLine?.(line);
      }
      watchers.forEach((check) => check());
    };
  };
  child.stdout?.on("data", take());
  child.stderr?.on("data", take());
  const ended = new Promise<{ exitCode: number | null; signal: string | null }>((done) => {
    child.once("close", (exitCode, signal) => {
      over = true;
      done({ exitCode, signal });
      watchers.forEach((check) => check());
    });
  });
  return {
    process: child,
    lines,
    ended,
    waitFor: (text, timeoutMs = 30_000) =>
      new Promise((found, failed) => {
        const timer = setTimeout(
          () => finish(new Error(`no "${text}" within ${timeoutMs} ms:\n${lines.join("\n")}`)),
          timeoutMs,
        );
        const finish = (result: string | Error): void => {
          clearTimeout(timer);
          watchers.delete(check);
          if (typeof result === "string") {
            found(result);
          } else {
            failed(result);
          }
        };
        const check = (): void => {
          const line = lines.find((candidate) => candidate.includes(text));
          if (line !== undefined) {
            finish(line);
          } else if (over) {
            finish(new Error(`the node ended before "${text}":\n${lines.join("\n")}`));
          }
        };
        watchers.add(check);
        check();
      }),
    stop: async () => {
      if (!over) {
        child.kill("SIGTERM");
        const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
        await ended;
        clearTimeout(timer);
      }
    },
  };
}
