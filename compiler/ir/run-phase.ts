/** What only setup may do, found in code that a handler reaches; the message shows the way from the handler. */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Expr, ExprOf, Loc } from "./nodes.js";
import { functionName, type ReachableProgram } from "./reachability.js";
import { isLookupKey, isMapOrSet, keyOf } from "./map-type.js";
import type { MonoFunc } from "./monomorphise.js";
import { typeName } from "./types.js";
import { walkStmts } from "./walk.js";

/** `unrepresentable`: globals without a representation, by id, with the reason. */
export function checkRunPhase(
  program: ReachableProgram,
  unrepresentable: ReadonlyMap<string, string>,
): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const f of program.functions) {
    const printed = new Set<Expr>();
    const covered = new Set<Expr>();
    const visit = (e: Expr): void => {
      if (e.k === "builtin" && e.name === "log") for (const a of e.args) printed.add(a);
      // One finding a place: a value of setup is only used through what host code makes of it.
      if (e.k === "convert" && e.mode === "fromHost" && e.arg.k === "host") covered.add(e);
      if (e.k === "host" && e.recv !== undefined) covered.add(e.recv);
      const bad = covered.has(e) ? undefined : setupOnly(e, printed.has(e));
      if (bad !== undefined) found.push(report(program, f, e, bad.code, bad.message, bad.fix));
      const spread = e.k === "arrayLit" ? unknownSpread(program, e) : undefined;
      if (spread !== undefined) {
        const message = `a handler cannot spread this array: ${lengthProblem(program, spread)}`;
        const fix = "make an array as long as it may get, and copy the elements in a loop";
        found.push(report(program, f, spread, "TMC1805", message, fix));
      }
      if ((e.k === "global" || e.k === "staticField") && !covered.has(e)) {
        const reason = unrepresentable.get(e.g.id);
        if (reason !== undefined) {
          found.push(
            report(
              program,
              f,
              e,
              "TMC2002",
              reason,
              "keep it out of what handlers reach, or use a representable type",
            ),
          );
        }
      }
    };
    walkStmts(f.body, { expr: visit });
  }
  return found;
}

function report(
  program: ReachableProgram,
  f: MonoFunc,
  e: Expr,
  code: string,
  message: string,
  fix: string,
): Diagnostic {
  const path = program.callPath(f);
  const names = path.map((s) => functionName(s.func)).join(" → ");
  // In the library, what the program wrote is the call that leads there.
  const inLibrary = (l: Loc): boolean => l.file.startsWith("tmc/");
  const called = path.flatMap((s) => (s.loc === undefined || inLibrary(s.loc) ? [] : [s.loc])).at(-1);
  return {
    code,
    severity: "error",
    loc: inLibrary(e.loc) && called !== undefined ? called : e.loc,
    length: 1,
    message: path.length > 1 ? `${message} (reached by ${names})` : message,
    fix,
    related: path.flatMap((s) =>
      s.loc === undefined ? [] : [{ loc: s.loc, message: `calls ${functionName(s.func)}` }],
    ),
  };
}

/** A Map or Set that setup made is read-only afterwards. */
function mapFix(name: string): string {
  switch (name) {
    case "set":
    case "add":
    case "delete":
    case "clear":
      return 'setup makes it, handlers read it: what changes at run time is a `FixedMap` from "tmc"';
    case "forEach":
      return "write `for (const [key, value] of map)`";
    default:
      return "handlers have `get`, `has`, `size` and `for … of`";
  }
}

/** A spread array of which not every one that may come here has the same length. */
function unknownSpread(program: ReachableProgram, e: ExprOf<"arrayLit">): Expr | undefined {
  if (e.spreads === undefined || program.madeLength(e) !== undefined) return undefined;
  const spread = e.elems.filter((_, i) => e.spreads?.[i] === true);
  return spread.find((x) => program.commonLength(x) === undefined) ?? e;
}

function lengthProblem(program: ReachableProgram, e: Expr): string {
  const objects = [...(program.objectsOf(e) ?? [])];
  const lengths = objects.map((o) => program.lengthOf(o));
  const different = [...new Set(lengths.filter((n) => n !== undefined))].sort((a, b) => a - b);
  if (different.length > 1) return `arrays of different lengths come here (${different.join(", ")})`;
  if (!lengths.includes(undefined) && objects.some((o) => program.isLate(o)))
    return "it is in an object that a handler makes, and might be read before it has a value";
  return "its length is not known when compiling";
}

interface Finding {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

function setupOnly(e: Expr, insideLog: boolean): Finding | undefined {
  switch (e.k) {
    case "host":
      return hostFinding(e);
    case "concat":
      return insideLog
        ? undefined
        : {
            code: "TMC1802",
            message: "text is not built by a handler: there is no memory to keep it in",
            fix: "write it into a TextBuffer: `out.write(`…${x}…`)`, or build it in setup",
          };
    case "filled":
      return {
        code: "TMC1801",
        message: "`filled` runs in setup only",
        fix: "make the array in setup and fill it here: `a.fill(v)`",
      };
    case "newSlots":
      return e.capacity.k === "num"
        ? undefined
        : {
            code: "TMC1803",
            message: "the capacity of a container made by a handler must be a constant",
            fix: "write the number where the container is made, or make it in setup: a field or a module constant",
          };
    case "builtin": {
      const map = e.name === "mapGet" || e.name === "mapHas" ? e.args[0] : undefined;
      if (map === undefined || !isMapOrSet(map.type) || isLookupKey(keyOf(map.type))) return undefined;
      return {
        code: "TMC1804",
        message: `a handler cannot look up a key of type \`${typeName(keyOf(map.type))}\``,
        fix: "use integers, booleans or strings as keys; `for … of` works with any",
      };
    }
    case "newTyped":
      return e.length.k === "num"
        ? undefined
        : {
            code: "TMC1803",
            message: "the length of an array made by a handler must be a constant",
            fix: "make the array in setup, as large as it may get",
          };
    case "convert":
      return e.mode === "fromHost"
        ? {
            code: "TMC1801",
            message: "a value of setup only is used by a handler",
            fix: "compute it in setup and keep the result in a typed constant",
          }
        : undefined;
    default:
      return undefined;
  }
}

function hostFinding({ name, how, recv }: ExprOf<"host">): Finding {
  if (recv?.k === "global" && recv.type.k === "host" && /number\[\]$/.test(recv.type.text)) {
    return {
      code: "TMC1801",
      message: `the elements of \`${recv.g.name}\` (\`${recv.type.text}\`) have no number type of a device`,
      fix: `annotate it: \`const ${recv.g.name}: i32[] = …\``,
    };
  }
  const shown =
    recv !== undefined && name !== "[]" && name !== "()"
      ? `\`${name}\` of \`${typeName(recv.type)}\``
      : name.startsWith("setup:")
        ? `\`${name.slice(6)}\``
        : name.startsWith("op:")
          ? "arithmetic on setup values"
          : how === "new"
            ? `\`new ${name}\``
            : `\`${name}\``;
  return {
    code: "TMC1801",
    message: `${shown} runs in setup only`,
    fix:
      (recv?.type.k === "host" && /^(Map|Set)</.test(recv.type.text)) || name === "Map" || name === "Set"
        ? 'use a `FixedMap` from "tmc", or look it up at the top level of a module and keep the result'
        : recv !== undefined && isMapOrSet(recv.type)
          ? mapFix(name)
          : name.startsWith("Math.")
            ? 'use the function of the same name from "tmc" (f32), or compute a table in setup'
            : "do it at the top level of a module and keep the result",
  };
}
