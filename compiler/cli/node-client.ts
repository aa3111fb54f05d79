/**
 * The HTTP API of a complete node as commands use it: where it is, the token, requests, live events. Failures are
 * UserErrors. It prints nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

export interface ClientOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly config?: string;
}

/** The options that every command has that asks a node. */
export function clientOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--url <url>", "of the node's management interface (TMC_NODE_URL); default: by node.yaml"),
    )
    .addOption(new Option("--token-file <file>", "with its token (TMC_NODE_TOKEN holds the token itself)"))
    .addOption(new Option("--config <file>", "configuration of the node (default: node.yaml)"));
}

/** An error that the node answered with: code of the closed set, and its place. */
export class NodeRefusal extends UserError {
  constructor(
    readonly reason: string,
    text: string,
    readonly field: string | undefined,
  ) {
    super(
      "TMC6412",
      `the node answered ${reason}${field === undefined ? "" : ` in ${field}`}: ${text}`,
      (reason === "busy" && text.includes("draining") ? drained : fixes[reason]) ??
        "docs/operations.md says what each error means for each operation",
    );
  }
}

const drained =
  "tmc node resume: it takes requests again; a node that is stopping takes none until it is started";

const fixes: Readonly<Record<string, string>> = {
  "no-capable-node": "tmc route explain OPERATION shows the candidates, and why none fits",
  deadline: "a longer --deadline; tmc node jobs shows what goes on",
  "not-found": "tmc node nodes, data, models, functions and jobs tell what is there",
  forbidden:
    "what this caller may: access and functions.trustedKeys in docs/node.md; of models, docs/model-registry.md",
  "bad-request": "docs/operations.md has the arguments of each operation",
  busy: "try again later; tmc node status shows what it works on",
};

export interface NodeEvent {
  readonly kind: string;
  readonly data: unknown;
}

export class NodeClient {
  private constructor(
    readonly url: string,
    private readonly token: string | undefined,
  ) {}

  /** By options, then environment, then configuration and state folder. @throws UserError */
  static async open(options: ClientOptions): Promise<NodeClient> {
    let url = options.url ?? process.env["TMC_NODE_URL"];
    let token = process.env["TMC_NODE_TOKEN"];
    if (options.tokenFile !== undefined) {
      token = fromFile(options.tokenFile);
      if (token === undefined) {
        throw new UserError(
          "TMC6411",
          `there is no file ${options.tokenFile}`,
          "the token is in the file `token` of the node's state folder",
          ExitCode.usage,
        );
      }
    }
    if (url === undefined || token === undefined) {
      const { loadConfig } = await import("../../host/node/load-config.js");
      const { management, state } = loadConfig(options.config).config;
      url ??= fromFile(resolve(state, "management-url"));
      if (url === undefined && management.port === 0) throw noneRuns(state);
      url ??= urlOf(management);
      token ??= fromFile(management.token);
    }
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new UserError(
        "TMC6410",
        `${url} is not the address of a node`,
        "give --url http://HOST:PORT",
        ExitCode.usage,
      );
    }
    return new NodeClient(url.replace(/\/+$/, ""), token);
  }

  private async send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(`${this.url}${path}`, {
        ...init,
        method,
        headers: {
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
          "x-tmc-request": "cli",
          ...(init.headers as Record<string, string> | undefined),
        },
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
      throw new UserError(
        "TMC6410",
        `no node answers at ${this.url} (${reason})`,
        "start one: tmc node start; or name another with --url",
      );
    }
    if (answer.ok) return answer;
    const { error } = (await answer.json().catch(() => ({}))) as {
      error?: { code?: string; text?: string; field?: string };
    };
    if (answer.status === 401) {
      throw new UserError(
        "TMC6411",
        this.token === undefined
          ? `the node at ${this.url} asks for its token`
          : `the node at ${this.url} has another token`,
        "give --token-file FILE or set TMC_NODE_TOKEN; the token is in the file `token` of the node's state folder",
      );
    }
    if (error?.code === undefined) throw this.notANode();
    throw new NodeRefusal(error.code, error.text ?? "", error.field);
  }

  private notANode(): UserError {
    return new UserError(
      "TMC6413",
      `what answers at ${this.url} is not a node`,
      "check --url: the management interface of a node is wanted",
    );
  }

  private async json<T>(answer: Response): Promise<T> {
    try {
      return (await answer.json()) as T;
    } catch {
      throw this.notANode();
    }
  }

  /** @param path below /api/v1. @throws UserError TMC6410-TMC6413, as the others */
  async get<T>(path: string): Promise<T> {
    return this.json<T>(await this.send("GET", `/api/v1${path}`));
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.json<T>(
      await this.send("POST", `/api/v1${path}`, {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
  }

  /** Keeps bytes at the node. @returns their reference */
  async upload(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    return (await this.json<{ reference: string }>(await this.send("PUT", "/api/v1/blobs", { body: bytes })))
      .reference;
  }

  async download(digest: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.send("GET", `/api/v1/blobs/${digest}`)).arrayBuffer());
  }

  /** Live events of these kinds, until the node ends them. */
  async *events(kinds: readonly string[]): AsyncGenerator<NodeEvent> {
    const answer = await this.send("GET", `/api/v1/events?kinds=${kinds.join(",")}`);
    if (answer.body === null) throw this.notANode();
    let rest = "";
    const decoder = new TextDecoder();
    for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
      const blocks = `${rest}${decoder.decode(piece, { stream: true })}`.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const kind = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (kind !== undefined && data !== undefined) yield { kind, data: JSON.parse(data) as unknown };
      }
    }
  }
}

/** Of a file that may be missing. @throws UserError TMC6411 when it is there and cannot be read */
function fromFile(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new UserError(
      "TMC6411",
      `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
      "the token is in the file `token` of the node's state folder; its owner can read it",
      ExitCode.usage,
    );
  }
}

/** With port 0 a node writes down where it listens, for as long as it runs. */
function noneRuns(state: string): UserError {
  return new UserError(
    "TMC6410",
    `no node runs with the state folder ${state}`,
    "start one: tmc node start; or name another with --url",
  );
}

/** As the configuration says. */
function urlOf({
  host,
  port,
  tls,
}: {
  readonly host: string;
  readonly port: number;
  readonly tls?: unknown;
}): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${tls === undefined ? "http" : "https"}://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
