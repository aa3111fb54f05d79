/** Runs `main` of a compiled program on Node.js: the reference that the other targets are compared with. */
import { Script } from "node:vm";
import { asTrap, setLogSink, setSites, trapNumbers } from "../backend-js/support.js";
import type { CompiledProgram } from "./compile.js";

export interface NodeRun {
  /** What was logged, a byte per character, lines ended by \n. */
  readonly stdout: string;
  /** The trap that ended main; `site` is the number of the build's site table. */
  readonly trap:
    | {
        readonly kind: number;
        readonly kindName: string;
        readonly site: number;
        readonly where: string;
        readonly message: string;
      }
    | undefined;
}

export interface NodeRunOptions {
  /** Stop main after this many milliseconds of wall time; default: never. */
  readonly timeoutMs?: number;
  /** Stop main when it has logged more bytes; default 256 MB. */
  readonly maxOutput?: number;
}

/** Main did not end: what it was stopped for. */
export class NodeRunStopped extends Error {
  constructor(readonly reason: "time" | "output") {
    super(`main was stopped: too much ${reason}`);
  }
}

/** Node.js stops a script at its time limit wherever it is, loops without calls and `catch` clauses included. */
function callWithin(main: () => void, timeoutMs: number): void {
  const name = Symbol.for("tmc.main");
  const shared = globalThis as Record<symbol, unknown>;
  shared[name] = main;
  try {
    new Script('globalThis[Symbol.for("tmc.main")]()').runInThisContext({ timeout: timeoutMs });
  } catch (e) {
    if (e instanceof Error && "code" in e && e.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
      throw new NodeRunStopped("time");
    }
    throw e;
  } finally {
    shared[name] = undefined;
  }
}

/** @throws NodeRunStopped when main exceeds a limit. */
export function runOnNode(compiled: CompiledProgram, options: NodeRunOptions = {}): NodeRun {
  setSites(compiled.c.sites);
  const lines: string[] = [];
  const room = options.maxOutput ?? 256 * 1024 * 1024;
  let size = 0;
  const before = setLogSink((line) => {
    size += line.length + 1;
    if (size > room) throw new NodeRunStopped("output");
    lines.push(`${line}\n`);
  });
  const main = compiled.loaded.exports.get(compiled.program.entryModule)?.["main"];
  try {
    if (typeof main !== "function") throw new Error("no main");
    if (options.timeoutMs === undefined) (main as () => void)();
    else callWithin(main as () => void, Math.ceil(options.timeoutMs));
    return { stdout: lines.join(""), trap: undefined };
  } catch (e) {
    const trap = asTrap(e);
    if (trap === undefined) throw e;
    return {
      stdout: lines.join(""),
      trap: {
        kind: trapNumbers[trap.kind],
        kindName: trap.kind,
        site: trap.site,
        where: trap.where,
        message: trap.text,
      },
    };
  } finally {
    setLogSink(before);
  }
}
