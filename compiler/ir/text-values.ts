/**
 * Expressions of the borrowed-text analysis: evaluates them in order and says which borrowed text their values hold.
 * Calls and stores are in `text-calls.ts`.
 */
import type { Expr, ExprOf } from "./nodes.js";
import { canHold, isBytes, isText, TextCalls } from "./text-calls.js";
import {
  contents,
  fieldPart,
  filled,
  itself,
  joined,
  merged,
  textOf,
  type Borrow,
  type Part,
  type View,
} from "./text-state.js";
import { childrenOf } from "./walk.js";

export class TextValues extends TextCalls {
  protected expr(e: Expr): Borrow | undefined {
    switch (e.k) {
      case "local":
        return this.state.held.get(e.v);
      case "this":
        return this.state.held.get("this");
      case "convert":
        return this.expr(e.arg);
      case "bind":
        this.bind(e.v, this.expr(e.init));
        return this.expr(e.body);
      case "logical": {
        this.expr(e.l);
        const before = this.state;
        this.state = merged([this.branch(before, () => this.expr(e.r)), before]);
        return undefined;
      }
      case "cond":
        return this.conditional(e);
      case "lambda":
        return this.lambda(e);
      case "assign":
        return this.assign(e);
      case "update":
        this.operands(childrenOf(e));
        if (e.target.k === "index" && isBytes(e.target.obj.type))
          this.write(this.objects(e.target.obj), e.loc);
        return undefined;
      case "call":
      case "new":
      case "superCall":
        return this.call(e, { args: this.evaluated(e.args) }, e.loc);
      case "method": {
        const [self, ...args] = this.evaluated([e.recv, ...e.args]);
        return this.call(e, { args, ...(self === undefined ? {} : { self }) }, e.loc);
      }
      case "callValue": {
        const [fn, ...args] = this.evaluated([e.fn, ...e.args]);
        return this.call(e, { args, fn: fn?.b }, e.loc);
      }
      case "builtin":
        return this.builtin(e);
      case "compare":
        this.uses([e.l, e.r]);
        return undefined;
      case "concat":
        this.uses(e.parts);
        return undefined;
      case "field": {
        const holder = this.expr(e.obj);
        if (!isText(e.type)) return canHold(e.type) ? contents(holder) : undefined;
        const view = holder?.get(fieldPart(e.name));
        return view === undefined ? undefined : textOf(view);
      }
      case "index": {
        const [holder] = this.operands([e.obj, e.index]);
        return canHold(e.type) ? contents(holder) : undefined;
      }
      case "objectLit":
        return this.objectLiteral(e);
      case "arrayLit": {
        const values = this.operands(e.elems);
        this.readTexts(e.elems, values);
        // In a loop it is the same memory again.
        if (isBytes(e.type)) this.write(this.objects(e), e.loc);
        return joined(...values.map(contents));
      }
      case "newTyped":
        this.uses(childrenOf(e));
        if (isBytes(e.type)) this.write(this.objects(e), e.loc);
        return undefined;
      default:
        this.operands(childrenOf(e));
        return undefined;
    }
  }

  private evaluated(list: readonly Expr[]): { readonly e: Expr; readonly b: Borrow | undefined }[] {
    const values = this.operands(list);
    return list.map((e, i) => ({ e, b: values[i] }));
  }

  private readTexts(list: readonly Expr[], values: readonly (Borrow | undefined)[]): void {
    list.forEach((e, i) => {
      if (isText(e.type)) this.use(values[i], e.loc);
    });
  }

  private conditional(e: ExprOf<"cond">): Borrow | undefined {
    this.expr(e.test);
    const before = this.state;
    const values: (Borrow | undefined)[] = [];
    const ends = [e.then, e.else].map((side) => this.branch(before, () => values.push(this.expr(side))));
    this.state = merged(ends);
    return joined(...values);
  }

  /** What a function captured: text by variable, the text in objects together. */
  private lambda(e: ExprOf<"lambda">): Borrow | undefined {
    const inner = this.all.reachable.mono.lambda(e.f, this.f);
    const parts: (Borrow | undefined)[] = e.f.usesThis ? [contents(this.state.held.get("this"))] : [];
    e.f.captures.forEach((captured, i) => {
      const there = inner.captures[i];
      const b = this.state.held.get(this.f.local(captured));
      const view = b?.get(itself);
      if (there !== undefined && view !== undefined) parts.push(new Map([[there, view]]));
      else parts.push(contents(b));
    });
    return joined(...parts);
  }

  private objectLiteral(e: ExprOf<"objectLit">): Borrow | undefined {
    const values = this.operands(e.fields.map((x) => x.value));
    const outlives = this.outlives(e);
    const parts: (readonly [Part, View])[] = [];
    e.fields.forEach((x, i) => {
      const view = values[i]?.get(itself);
      if (!isText(x.value.type) || view === undefined) return;
      this.use(values[i], x.value.loc);
      if (outlives && this.endsHere(view)) this.all.reportEnds(x.value.loc, view);
      parts.push([fieldPart(x.name), view]);
    });
    return joined(filled(parts), ...values.map(contents));
  }

  /** Does an object live longer than this function? */
  private outlives(e: Expr): boolean {
    return [...this.objects(e)].some((o) => [...this.all.livesIn(o)].some((f) => f !== this.f));
  }

  private assign(e: ExprOf<"assign">): Borrow | undefined {
    const t = e.target;
    const parts = t.k === "field" ? [t.obj] : t.k === "index" ? [t.obj, t.index] : [];
    const b = this.operands([...parts, e.value]).at(-1);
    if (t.k === "local") {
      this.bind(t.v, b);
      return b;
    }
    if (isText(e.value.type)) this.use(b, e.value.loc);
    if (t.k === "field" && isText(t.type)) {
      const view = b?.get(itself);
      if (view !== undefined && this.outlives(t.obj) && this.endsHere(view))
        this.all.reportEnds(e.value.loc, view);
      this.storeText(t.obj, `.${t.name}`, t.name, b, e.value.loc);
    } else if (t.k === "field" || t.k === "index") {
      const held = contents(b);
      if (held !== undefined) this.store(this.objects(t.obj), held, e.value.loc, new Set());
      if (t.k === "index" && isBytes(t.obj.type)) this.write(this.objects(t.obj), e.loc);
    }
    return b;
  }

  private builtin(e: ExprOf<"builtin">): Borrow | undefined {
    const [first, second, third] = e.args;
    if (first === undefined) return undefined;
    const values = this.operands(e.args);
    switch (e.name) {
      case "textView": {
        const sources = this.objects(first);
        return sources.size === 0 ? undefined : textOf({ sources, at: e.loc, stale: undefined });
      }
      case "strSlice":
        return values[0];
      case "slotsGet":
      case "mapGet":
        this.readTexts(e.args, values);
        return contents(values[0]);
      case "sequence":
        return values.at(-1);
      case "arrayFill":
      case "arraySet":
      case "slotsSet": {
        this.readTexts(e.args, values);
        const value = e.name === "slotsSet" ? third : second;
        const held = contents(value === undefined ? undefined : values[e.args.indexOf(value)]);
        if (held !== undefined) this.store(this.objects(first), held, e.loc, new Set());
        if (isBytes(first.type)) this.write(this.objects(first), e.loc);
        return e.name === "arrayFill" ? joined(values[0], held) : undefined;
      }
      default:
        this.readTexts(e.args, values);
        return undefined;
    }
  }
}
