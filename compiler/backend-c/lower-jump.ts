/** Jumps: `return`, `break`, `continue`, and the loops and switches they leave. */
import type { Expr } from "../ir/nodes.js";
import { addressOf, assign, call, id, lit, type CExpr, type CStmt } from "./c-ast.js";
import type { FinallyExit, FuncContext, LoopScope } from "./func-context.js";
import { coerce } from "./lower-convert.js";
import { value } from "./lower-expr.js";
import { discard } from "./lower-stmt.js";

/** Does control never reach the end of these statements? */
export function endsInJump(body: readonly CStmt[]): boolean {
  const last = body[body.length - 1];
  switch (last?.k) {
    case "return":
    case "break":
    case "continue":
    case "goto":
      return true;
    case "if":
      return last.else.length > 0 && endsInJump(last.then) && endsInJump(last.else);
    case "block":
      return endsInJump(last.body);
    case "switch":
      return (
        last.cases.some((x) => x.isDefault) && last.cases.every((x) => endsInJump(x.body) && !breaks(x.body))
      );
    case "expr":
      return (
        last.e.k === "call" &&
        last.e.fn.k === "id" &&
        (last.e.fn.name === "tmc_throw" ||
          last.e.fn.name === "tmc_trap" ||
          /^tmc_rethrow(_kept)?$/.test(last.e.fn.name))
      );
    default:
      return false;
  }
}

/** Is there a `break` that leaves the switch around? */
function breaks(body: readonly CStmt[]): boolean {
  return body.some((s) => {
    if (s.k === "break") return true;
    if (s.k === "if") return breaks(s.then) || breaks(s.else);
    return s.k === "block" && breaks(s.body);
  });
}

export function enterLoop(
  c: FuncContext,
  label: string | undefined,
  kind: LoopScope["kind"],
  continueByGoto: boolean,
): LoopScope {
  const scope: LoopScope = {
    label,
    kind,
    breakLabel: undefined,
    continueLabel: undefined,
    continueByGoto,
    tryDepth: c.tries.length,
  };
  c.loops.push(scope);
  return scope;
}

export function leaveLoop(c: FuncContext, scope: LoopScope): void {
  c.loops.pop();
  if (scope.breakLabel !== undefined) c.emit({ k: "label", name: scope.breakLabel });
}

/**
 * Leaves the try bodies opened inside the loop (or function) that a jump leaves, inside out. True when one of them is
 * of a `finally`: the jump goes there now, and goes on from there when the finalizer ran.
 */
function leaveTries(c: FuncContext, depth: number, exit: FinallyExit): boolean {
  for (let i = c.tries.length - 1; i >= depth; i--) {
    const scope = c.tries[i];
    if (scope === undefined) break;
    c.emit({ k: "expr", e: call("tmc_boundary_pop", addressOf(id(scope.boundary))) });
    if (scope.finally === undefined) continue;
    const { exits, label } = scope.finally;
    let at = exits.findIndex(
      (x) => x.k === exit.k && ("label" in x ? x.label : "") === ("label" in exit ? exit.label : ""),
    );
    if (at < 0) at = exits.push(exit) - 1;
    c.emit(assign(scope.finally.exit, lit(String(at + 1))));
    c.emit({ k: "goto", label });
    return true;
  }
  return false;
}

export function jump(c: FuncContext, k: "break" | "continue", label: string | undefined): void {
  let crossed = false;
  for (let i = c.loops.length - 1; i >= 0; i--) {
    const scope = c.loops[i];
    if (scope === undefined) break;
    const mine = label !== undefined ? scope.label === label : k === "break" || scope.kind === "loop";
    if (!mine) {
      // A C `break` would leave this one instead; a C `continue` only minds loops.
      crossed ||= scope.kind === "loop" || (k === "break" && scope.kind === "switch");
      continue;
    }
    if (leaveTries(c, scope.tryDepth, { k, label })) return;
    if (k === "break") {
      if (!crossed && scope.kind !== "chain") c.emit({ k: "break" });
      else c.emit({ k: "goto", label: (scope.breakLabel ??= c.names.takeForFunction("done")) });
    } else if (!crossed && !scope.continueByGoto) {
      c.emit({ k: "continue" });
    } else {
      c.emit({ k: "goto", label: (scope.continueLabel ??= c.names.takeForFunction("next")) });
    }
    return;
  }
  throw new Error(`${c.func.key}: ${k} outside a loop`);
}

export function lowerReturn(c: FuncContext, e: Expr | undefined): void {
  let v = e === undefined ? undefined : value(c, e);
  if (e !== undefined && e.type.k === "void") {
    if (v !== undefined) discard(c, e, v);
    v = undefined;
  } else if (e !== undefined && v !== undefined) {
    v = coerce(c, v, e.type, c.func.ret);
    if (c.tries.some((t) => t.finally !== undefined)) {
      c.result ??= c.hoist(c.type(c.func.ret), "result");
      c.emit(assign(c.result, v));
      v = c.result;
    } else if (c.tries.length > 0) v = c.temp(c.type(c.func.ret), v, "result");
  }
  returnValue(c, v);
}

/** Returns a value that is already evaluated, through every `finally` around. */
export function returnValue(c: FuncContext, v: CExpr | undefined): void {
  if (leaveTries(c, 0, { k: "return" })) return;
  c.emit({ k: "return", value: c.func.ret.k === "void" ? undefined : v });
}
