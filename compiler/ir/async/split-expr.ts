/**
 * Expressions with waits in them, cut in the order of evaluation of ECMAScript: what comes before a wait is computed
 * into variables, `&&`, `||` and `?:` around one become jumps.
 */
import type { Expr, ExprOf, LocalVar, LValue } from "../nodes.js";
import { BOOL } from "../types.js";
import { childrenOf, targetOperands } from "../walk.js";
import { assign, bool, declare, isVoid, local, not, number, STATE } from "./make.js";
import { mapExpr, withChildren } from "./rebuild.js";
import { waits, type Splitter, type Started } from "./split.js";

/** Emits what must happen first; the rest, without a wait, is what the value is computed from. */
export function linear(s: Splitter, e: Expr): Expr {
  if (!waits(e)) return e;
  switch (e.k) {
    case "await":
      return wait(s, e);
    case "logical":
      return logical(s, e);
    case "cond":
      return conditional(s, e);
    case "bind":
      s.emit(declare(e.v, linear(s, e.init), e.loc));
      return linear(s, e.body);
    case "update":
      return update(s, e);
    default:
      return withChildren(e, operands(s, childrenOf(e)));
  }
}

/** Operands in order: those before the last wait are kept in variables. */
function operands(s: Splitter, list: readonly Expr[]): Expr[] {
  const last = list.findLastIndex(waits);
  return list.map((e, i) => (i < last ? keep(s, linear(s, e)) : i === last ? linear(s, e) : e));
}

/** The value, whatever happens after. */
function keep(s: Splitter, e: Expr): Expr {
  switch (e.k) {
    case "num":
    case "big":
    case "bool":
    case "str":
    case "literal":
    case "null":
    case "this":
    case "funcref":
      return e;
    case "local":
      if (!e.v.mutable) return e;
      break;
    case "concat":
      return { ...e, parts: e.parts.map((p) => keep(s, p)) };
    default:
      break;
  }
  if (isVoid(e.type)) {
    s.emit({ k: "expr", loc: e.loc, e });
    return number(0, STATE, e.loc);
  }
  const v = s.host.newLocal("kept", e.type);
  s.emit(declare(v, e, e.loc));
  return local(v, e.loc);
}

function variable(s: Splitter, e: Expr): LocalVar | undefined {
  if (isVoid(e.type)) return undefined;
  const v = s.host.newLocal("chosen", e.type);
  v.mutable = true;
  s.emit(declare(v, undefined, e.loc));
  return v;
}

/** Puts the value of `e` into `v`, or evaluates it for its effect. */
function into(s: Splitter, v: LocalVar | undefined, e: Expr): void {
  const value = linear(s, e);
  if (v !== undefined) s.emit(assign(local(v, e.loc), value));
  else s.emit({ k: "expr", loc: e.loc, e: value });
}

function logical(s: Splitter, e: ExprOf<"logical">): Expr {
  const v = s.host.newLocal("chosen", e.type);
  v.mutable = true;
  s.emit(declare(v, linear(s, e.l), e.loc));
  const more = s.block(e.loc);
  const after = s.block(e.loc);
  const test = local(v, e.loc);
  s.branch(e.op === "and" ? test : not(test), more, after);
  s.enter(more);
  into(s, v, e.r);
  s.goto(after);
  s.enter(after);
  return local(v, e.loc);
}

function conditional(s: Splitter, e: ExprOf<"cond">): Expr {
  const test = linear(s, e.test);
  if (!waits(e.then) && !waits(e.else)) return { ...e, test };
  const v = variable(s, e);
  const then = s.block(e.loc);
  const other = s.block(e.loc);
  const after = s.block(e.loc);
  s.branch(test, then, other);
  s.enter(then);
  into(s, v, e.then);
  s.goto(after);
  s.enter(other);
  into(s, v, e.else);
  s.goto(after);
  s.enter(after);
  return v === undefined ? number(0, STATE, e.loc) : local(v, e.loc);
}

/** `target += await …`: the old value is read, with its checks, before the wait. */
function update(s: Splitter, e: ExprOf<"update">): Expr {
  const kept = targetOperands(e.target).map((o) => keep(s, linear(s, o)));
  const target = withTarget(e.target, kept);
  const old = s.host.newLocal("old", target.type);
  s.emit(declare(old, target, e.loc));
  const compute = mapExpr(e.compute, (x) => (x.k === "hole" ? local(old, x.loc) : undefined));
  const value = linear(s, compute);
  const written: Expr = { k: "assign", type: target.type, loc: e.loc, target, value };
  if (e.result === "new") return written;
  s.emit({ k: "expr", loc: e.loc, e: written });
  return local(old, e.loc);
}

function withTarget(t: LValue, kept: readonly Expr[]): LValue {
  const [obj, index] = kept;
  if (t.k === "index" && obj !== undefined && index !== undefined) return { ...t, obj, index };
  return t.k === "field" && obj !== undefined ? { ...t, obj } : t;
}

// ---- waits ----

function wait(s: Splitter, e: ExprOf<"await">): Expr {
  const single = e.calls[0];
  if (!e.all && single !== undefined) return waitFor(s, single, e);
  return waitForAll(s, e);
}

/** Each call runs to its first wait before the next begins; then all are stepped until all have ended. */
function waitForAll(s: Splitter, e: ExprOf<"await">): Expr {
  const { loc } = e;
  const ended = s.host.newLocal("ended", BOOL);
  ended.mutable = true;
  s.emit(declare(ended, bool(true, loc), loc));
  const started = e.calls.map((call, i) => {
    const args = operands(s, childrenOf(call));
    const found = s.host.start(call, i);
    if (found?.frame === undefined) return found;
    fill(s, found, args, call);
    s.emit({
      k: "if",
      loc: call.loc,
      test: not(s.host.poll(found.frame)),
      then: [assign(local(ended, loc), bool(false, loc))],
      else: [],
    });
    return found;
  });
  const wait = s.block(loc);
  const again = s.block(loc);
  const after = s.block(loc);
  again.polls = started.flatMap((x) => (x?.frame === undefined ? [] : [x.frame]));
  s.branch(local(ended, loc), after, wait);
  s.enter(wait);
  s.end({ k: "suspend", to: again, loc });
  s.enter(again);
  s.goto(after);
  s.enter(after);
  if (isVoid(e.type) || e.type.k !== "object") return number(0, STATE, e.loc);
  const values = started.flatMap((x) => (x?.result === undefined ? [] : [x.result]));
  return {
    k: "objectLit",
    type: e.type,
    loc: e.loc,
    fields: values.map((value, i) => ({ name: `_${i}`, value })),
  };
}

function waitFor(s: Splitter, call: Expr, e: ExprOf<"await">): Expr {
  const none = number(0, STATE, e.loc);
  const values = operands(s, childrenOf(call));
  const started = s.host.start(call, 0);
  if (started === undefined) return none;
  if (started.frame === undefined) {
    s.suspend(e.loc);
    return none;
  }
  if (started.others.length === 0) {
    fill(s, started, values, call);
    s.poll([started.frame], e.loc);
    return started.result ?? none;
  }
  // One of several methods: the class of the receiver says which.
  const kept = values.map((a) => keep(s, a));
  const v = variable(s, e);
  const after = s.block(e.loc);
  const all = [started, ...started.others];
  all.forEach((one, i) => {
    const recv = kept[0];
    if (one.frame === undefined || recv === undefined) return;
    const isLast = i === all.length - 1;
    const mine = s.block(e.loc);
    const next = isLast ? mine : s.block(e.loc);
    if (isLast || one.receiver === undefined) s.goto(mine);
    else
      s.branch({ k: "instanceof", type: { k: "bool" }, loc: e.loc, arg: recv, of: one.receiver }, mine, next);
    s.enter(mine);
    const self: Expr =
      one.receiver === undefined
        ? recv
        : { k: "convert", type: one.receiver, loc: e.loc, mode: "downcast", arg: recv };
    fill(s, one, [self, ...kept.slice(1)], call);
    s.poll([one.frame], e.loc);
    if (v !== undefined && one.result !== undefined) s.emit(assign(local(v, e.loc), one.result));
    s.goto(after);
    s.enter(next);
  });
  s.enter(after);
  return v === undefined ? none : local(v, e.loc);
}

/** Arguments into the frame, which begins anew. */
function fill(s: Splitter, started: Started, args: readonly Expr[], call: Expr): void {
  const { frame } = started;
  if (frame === undefined) return;
  if (started.begin !== undefined) {
    started.begin(args).forEach((x) => s.emit(x));
    return;
  }
  // A static method has no receiver; a call has no place for one.
  const given = args.slice(args.length - started.places.length);
  started.places.forEach((place, i) => {
    const value = given[i];
    if (value !== undefined) s.emit(assign(place, started.wrap(value, place.type)));
  });
  s.emit(
    assign({ k: "field", type: STATE, loc: call.loc, obj: frame, name: "state" }, number(0, STATE, call.loc)),
  );
}
