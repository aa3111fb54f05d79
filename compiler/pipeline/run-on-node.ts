/** Runs `main` of a compiled program on Node.js: the reference that the other targets are compared with. */
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

export function runOnNode(compiled: CompiledProgram): NodeRun {
  setSites(compiled.c.sites);
  const lines: string[] = [];
  const before = setLogSink((line) => lines.push(`${line}\n`));
  const main = compiled.loaded.exports.get(compiled.program.entryModule)?.["main"];
  try {
    if (typeof main !== "function") throw new Error("no main");
    (main as () => void)();
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
