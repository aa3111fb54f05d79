/** A real tsserver, as an editor starts it: requests and answers over its standard input and output. */
import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";

export interface ServerDiagnostic {
  /** From 1. */
  readonly start: { readonly line: number; readonly offset: number };
  readonly end: { readonly line: number; readonly offset: number };
  readonly text: string;
  readonly code: number;
  readonly category: string;
  readonly source?: string;
}

interface Message {
  readonly type: "response" | "event";
  readonly request_seq?: number;
  readonly event?: string;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: unknown;
}

export class TsServer {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, { resolve: (m: Message) => void; reject: (e: Error) => void }>();
  readonly #events: string[] = [];
  #stderr = "";
  #buffer = Buffer.alloc(0);
  #seq = 0;

  /** `nodeArgs`: for Node.js itself; `args`: for tsserver. */
  constructor(nodeArgs: readonly string[], args: readonly string[], cwd: string) {
    const server = createRequire(import.meta.url).resolve("typescript/lib/tsserver.js");
    this.#process = spawn(
      process.execPath,
      [...nodeArgs, server, "--disableAutomaticTypingAcquisition", ...args],
      { cwd, stdio: ["pipe", "pipe", "pipe"] },
    );
    this.#process.stdout?.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString("utf8");
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once("close", () => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`tsserver ended: ${this.#stderr}`));
        resolve();
      });
    });
  }

  /** @throws Error when tsserver refuses it or ends. */
  async request(command: string, args: unknown): Promise<unknown> {
    const seq = ++this.#seq;
    const answered = new Promise<Message>((resolve, reject) => this.#waiting.set(seq, { resolve, reject }));
    this.notify(command, args, seq);
    const answer = await answered;
    if (answer.success === false) throw new Error(`${command}: ${answer.message ?? ""}`);
    return answer.body;
  }

  /** A request without an answer. */
  notify(command: string, args: unknown, seq = ++this.#seq): void {
    this.#process.stdin?.write(`${JSON.stringify({ seq, type: "request", command, arguments: args })}\n`);
  }

  async semantic(file: string): Promise<ServerDiagnostic[]> {
    return (await this.request("semanticDiagnosticsSync", { file })) as ServerDiagnostic[];
  }

  /** Names of the events since the last call. */
  takeEvents(): string[] {
    return this.#events.splice(0, this.#events.length);
  }

  async stop(): Promise<void> {
    this.notify("exit", {});
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 5000);
    await this.#exited;
    clearTimeout(timer);
  }

  #read(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const head = this.#buffer.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/.exec(this.#buffer.toString("latin1", 0, head))?.[1]);
      const end = head + 4 + length;
      if (this.#buffer.length < end) return;
      const message = JSON.parse(this.#buffer.toString("utf8", head + 4, end)) as Message;
      this.#buffer = this.#buffer.subarray(end);
      if (message.type === "event") {
        this.#events.push(message.event ?? "");
      } else {
        const seq = message.request_seq ?? -1;
        this.#waiting.get(seq)?.resolve(message);
        this.#waiting.delete(seq);
      }
    }
  }
}
