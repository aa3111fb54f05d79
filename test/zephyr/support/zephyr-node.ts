/**
 * Builds Zephyr images for tests and runs them against a broker of the test. Build folders are kept below build/test,
 * so that only the first run is slow. Nothing here makes a workspace.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { findBoard } from "../../../compiler/board/board.js";
import { packagePath } from "../../../compiler/board/package-root.js";
import {
  buildZephyr,
  type ZephyrBuildOptions,
  type ZephyrImage,
} from "../../../compiler/board/zephyr/build.js";
import { runZephyr, type ZephyrNode } from "../../../compiler/board/zephyr/run.js";
import {
  findWorkspace,
  type Workspace,
  type WorkspaceSearchResult,
} from "../../../compiler/board/zephyr/workspace.js";
import { buildApp, type BuildOutcome } from "../../../compiler/cli/build-app.js";
import { compileProgram } from "../../../compiler/pipeline/compile.js";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import { findMosquitto } from "../../support/mosquitto.js";

/** A workspace that is there but does not fit is no reason to fail either. */
async function searchWorkspace(): Promise<WorkspaceSearchResult> {
  try {
    return await findWorkspace();
  } catch (error) {
    if (error instanceof UserError) {
      return { kind: "missing", missing: { message: error.message, fix: error.fix } };
    }
    throw error;
  }
}

const search = await searchWorkspace();

/** Undefined when there is none: the tests are then skipped. */
export const workspace: Workspace | undefined = search.kind === "found" ? search.workspace : undefined;

/** Why tests that build images are skipped; "" when they are not. */
export const noWorkspace = search.kind === "missing" ? ` (skipped: ${search.missing.message})` : "";

/** Why tests that run images are skipped; "" when they are not. */
export const notRunnable =
  noWorkspace !== ""
    ? noWorkspace
    : findMosquitto() === undefined
      ? " (skipped: mosquitto is not installed)"
      : "";

/** The workspace is of the release 3.7, which lacks some things. */
export const lts = workspace?.version.startsWith("3.") === true;

/**
 * A folder for images of tests. The LTS release has folders of its own, so that testing with both workspaces in turn does not
 * build everything anew each time.
 */
export function imageFolder(name: string): string {
  return packagePath("build", "test", lts ? "zephyr-lts" : "zephyr", name);
}

/** Cold builds take minutes on a small machine. */
export const buildTimeout = 15 * 60_000;

/** Builds `genDir` for the board; `name` tells images of different programs and configurations apart. */
export function buildImage(
  boardName: string,
  name: string,
  genDir: string,
  options: Pick<ZephyrBuildOptions, "config" | "confFiles" | "overlays" | "sourceDir"> = {},
): Promise<ZephyrImage> {
  if (workspace === undefined) {
    throw new Error("no workspace");
  }
  const board = findBoard(boardName);
  return buildZephyr({
    workspace,
    board,
    genDir,
    ...options,
    outDir: imageFolder(`${board.name}-${name}`),
  });
}

/**
 * The default node, firmware/app.ts, as `tmc build --board` makes it; `emit`: "c" without an image, for `buildImage`;
 * `confFiles`: Kconfig fragments of an image with a `name` of its own; `entry`: another main module, which has a name of its
 * own too. @throws Error when it does not compile
 */
export async function buildDefaultNode(
  boardName: string,
  emit: "c" | "image" = "image",
  {
    name = "app",
    confFiles,
    entry = packagePath("firmware", "app.ts"),
  }: { readonly name?: string; readonly confFiles?: readonly string[]; readonly entry?: string } = {},
): Promise<BuildOutcome> {
  const result = compileProgram({
    entry,
    root: packagePath("."),
    checked: false,
    kind: "app",
  });
  if (!result.ok) {
    throw new Error(result.diagnostics.map((each) => `${each.code} ${each.message}`).join("\n"));
  }
  return buildApp({
    board: findBoard(boardName),
    compiled: result.compiled,
    outDir: imageFolder(`${boardName}-${name}`),
    zephyrDir: undefined,
    emit,
    ...(confFiles === undefined ? {} : { confFiles }),
    onProgress: () => undefined,
  });
}

/** A running node and a client that sees everything below t1/. */
export class NodeUnderTest {
  private readonly messages: {
    readonly topic: string;
    readonly payload: Buffer;
    readonly retain: boolean;
  }[] = [];
  private readonly watchers = new Set<() => void>();

  private constructor(
    readonly node: ZephyrNode,
    readonly client: MqttClient,
    readonly id: string,
    private readonly stateDir: string,
    private readonly ownState: boolean,
  ) {
    client.on("message", (topic, payload, packet) => {
      this.messages.push({ topic, payload, retain: packet.retain });
      this.watchers.forEach((check) => check());
    });
  }

  static async start(
    boardName: string,
    image: ZephyrImage,
    server: string,
    options: {
      readonly id: string;
      readonly sensor?: string;
      readonly stateDir?: string;
      readonly handlerMaxMs?: number;
    },
  ): Promise<NodeUnderTest> {
    const client = await connectAsync(server, { reconnectPeriod: 100 });
    const stateDir = options.stateDir ?? mkdtempSync(join(tmpdir(), "tmc-zephyr-node-"));
    await client.subscribeAsync("t1/#", { qos: 1 });
    const node = await runZephyr({
      board: findBoard(boardName),
      executable: image.executable,
      id: options.id,
      server,
      stateDir,
      ...(options.sensor === undefined ? {} : { sensor: options.sensor }),
      ...(options.handlerMaxMs === undefined ? {} : { handlerMaxMs: options.handlerMaxMs }),
    });
    return new NodeUnderTest(node, client, options.id, stateDir, options.stateDir === undefined);
  }

  topic(last: string): string {
    return `t1/edge/${this.id}/${last}`;
  }

  send(last: string, payload: string | Buffer): Promise<unknown> {
    return this.client.publishAsync(this.topic(last), payload, { qos: 1 });
  }

  /** Messages so far, oldest first. */
  on(last: string): Buffer[] {
    return this.messages.filter((m) => m.topic === this.topic(last)).map((m) => m.payload);
  }

  /** The first message on the topic that `wanted` accepts, after the `skip` oldest. @throws Error when time is up. */
  async message(
    last: string,
    wanted: (payload: Buffer) => boolean,
    skip = 0,
    timeoutMs = 20_000,
  ): Promise<Buffer> {
    return new Promise((found, failed) => {
      const timer = setTimeout(() => {
        this.watchers.delete(check);
        const seen = this.messages.map((m) => `${m.topic} ${m.payload.toString("latin1").slice(0, 60)}`);
        failed(new Error([`nothing on ${last}`, ...seen, ...this.node.lines].join("\n")));
      }, timeoutMs);
      const check = (): void => {
        const payload = this.on(last).slice(skip).find(wanted);
        if (payload !== undefined) {
          clearTimeout(timer);
          this.watchers.delete(check);
          found(payload);
        }
      };
      this.watchers.add(check);
      check();
    });
  }

  /** Sends a text to the stand-in and returns its answer. */
  async ask(text: string, timeoutMs?: number): Promise<string> {
    const before = this.on("y").length;
    await this.send("x", text);
    return (await this.message("y", () => true, before, timeoutMs)).toString("utf8");
  }

  async stop(): Promise<void> {
    await this.node.stop();
    await this.client.endAsync(true);
    if (this.ownState) {
      rmSync(this.stateDir, { recursive: true, force: true });
    }
  }
}
