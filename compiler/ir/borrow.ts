/**
 * Borrowed text and bytes: a message, a slice of a buffer, `TextBuffer.toString()` are views of memory that changes
 * after the handler. Keeping one in a field, a global or a container is an error. Flow-insensitive, over the whole
 * program: a variable is borrowed when anything borrowed is ever assigned to it.
 */
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { MonoFunc } from "./monomorphise.js";
import type { Expr, Loc, LocalVar, Stmt } from "./nodes.js";
import type { ReachableProgram } from "./reachability.js";
import type { Type } from "./types.js";
import { walkStmts } from "./walk.js";

/** Why a value is borrowed. */
type Reason = string;

const isText = (t: Type): boolean => t.k === "string" || (t.k === "nullable" && t.of.k === "string");
const isBytes = (t: Type): boolean => t.k === "array" || (t.k === "nullable" && t.of.k === "array");

export function checkBorrows(program: ReachableProgram): Diagnostic[] {
  return new BorrowCheck(program).run();
}

class BorrowCheck {
  private readonly locals = new Map<LocalVar, Reason>();
  private readonly results = new Map<MonoFunc, Reason>();
  /** `class key.field` of objects that handlers make. */
  private readonly fields = new Map<string, Reason>();
  /** Where a parameter was first given something borrowed. */
  private readonly given = new Map<LocalVar, Expr>();
  private changed = true;

  constructor(private readonly program: ReachableProgram) {}

  run(): Diagnostic[] {
    for (const { func } of this.program.entries) {
      for (const p of func.params)
        if (isText(p.type)) this.locals.set(p, "it is part of what the platform passed in");
    }
    while (this.changed) {
      this.changed = false;
      for (const f of this.program.functions) this.flow(f);
    }
    return this.program.functions.flatMap((f) => this.stores(f));
  }

  private mark<K>(map: Map<K, Reason>, key: K, reason: Reason | undefined): void {
    if (reason === undefined || map.has(key)) return;
    map.set(key, reason);
    this.changed = true;
  }

  private flow(f: MonoFunc): void {
    walkStmts(f.body, {
      stmt: (s: Stmt) => {
        if (s.k === "let" && s.init !== undefined) this.mark(this.locals, s.v, this.reason(s.init));
        if (s.k === "return" && s.value !== undefined) this.mark(this.results, f, this.reason(s.value));
      },
      expr: (e) => {
        if (e.k === "assign") {
          const reason = this.reason(e.value);
          if (e.target.k === "local") this.mark(this.locals, e.target.v, reason);
          if (e.target.k === "field" && !this.isKept(e.target.obj))
            this.mark(this.fields, this.fieldKey(e.target.obj, e.target.name), reason);
        }
        if (e.k === "objectLit") {
          for (const x of e.fields)
            this.mark(this.fields, this.typedKey(e.type, x.name), this.reason(x.value));
        }
        this.arguments(e);
      },
    });
  }

  private arguments(e: Expr): void {
    if (e.k !== "call" && e.k !== "method" && e.k !== "callValue" && e.k !== "new" && e.k !== "superCall")
      return;
    for (const t of this.program.targets(e)) {
      e.args.forEach((a, i) => {
        const p = t.func.params[i];
        if (p === undefined) return;
        const reason = this.reason(a);
        if (reason !== undefined && !this.given.has(p)) this.given.set(p, a);
        this.mark(this.locals, p, reason);
      });
    }
  }

  private typedKey(t: Type, name: string): string {
    const o = t.k === "nullable" ? t.of : t;
    return o.k === "object" ? `${o.decl}.${name}` : name;
  }
  private fieldKey(obj: Expr, name: string): string {
    return this.typedKey(obj.type, name);
  }

  /** The object lives longer than a handler. */
  private isKept(obj: Expr): boolean {
    return [...(this.program.objectsOf(obj) ?? [])].some((o) => o.k === "snapshot" || o.k === "external");
  }

  /** The async function whose frame this is. */
  private frameOf(obj: Expr): string | undefined {
    for (const o of this.program.objectsOf(obj) ?? [])
      if (o.k === "snapshot" && o.object.k === "object" && o.object.cls.frameOf !== undefined)
        return o.object.cls.frameOf;
    return undefined;
  }

  private reason(e: Expr): Reason | undefined {
    if (isBytes(e.type)) {
      const external = [...(this.program.objectsOf(e) ?? [])].some((o) => o.k === "external");
      return external ? "it is memory of the platform" : undefined;
    }
    if (!isText(e.type)) return undefined;
    switch (e.k) {
      case "local":
        return this.locals.get(e.v);
      case "field":
        return this.isKept(e.obj) ? undefined : this.fields.get(this.fieldKey(e.obj, e.name));
      case "builtin":
        if (e.name === "textView") return "it is a view of bytes that change";
        return e.name === "strSlice" && e.args[0] !== undefined ? this.reason(e.args[0]) : undefined;
      case "convert":
        return this.reason(e.arg);
      case "cond":
        return this.reason(e.then) ?? this.reason(e.else);
      case "assign":
        return this.reason(e.value);
      case "call":
      case "method":
      case "callValue":
        for (const t of this.program.targets(e)) {
          const r = this.results.get(t.func);
          if (r !== undefined) return r;
        }
        return undefined;
      default:
        return undefined;
    }
  }

  /** Of a store in the library: where the program passed the value to it. */
  private placeOf(value: Expr, loc: Loc): Loc {
    const seen = new Set<LocalVar>();
    let [from, place] = [value, loc];
    while (place.file.startsWith("tmc/") && from.k === "local" && !seen.has(from.v)) {
      seen.add(from.v);
      const given = this.given.get(from.v);
      if (given === undefined) return loc;
      [from, place] = [given, given.loc];
    }
    return place;
  }

  private stores(f: MonoFunc): Diagnostic[] {
    const found: Diagnostic[] = [];
    const check = (value: Expr, loc: Loc, where: string): void => {
      const reason = this.reason(value);
      if (reason === undefined) return;
      found.push(report(this.placeOf(value, loc), isText(value.type), where, reason));
    };
    walkStmts(f.body, {
      expr: (e) => {
        if (e.k === "assign") {
          const t = e.target;
          if (t.k === "global" || t.k === "staticField") check(e.value, e.loc, `\`${t.g.name}\``);
          if (t.k === "local" && this.program.isSetupCell(t.v)) check(e.value, e.loc, `\`${t.v.name}\``);
          const frame = t.k === "field" ? this.frameOf(t.obj) : undefined;
          const reason = frame === undefined ? undefined : this.reason(e.value);
          if (frame !== undefined && reason !== undefined)
            found.push(held(e.loc, isText(e.value.type), frame, reason));
          else if (t.k === "field" && this.isKept(t.obj)) check(e.value, e.loc, `the field \`${t.name}\``);
          // Nobody follows text through elements, not even those of an array that the handler makes.
          if (t.k === "index" && (this.isKept(t.obj) || isText(e.value.type)))
            check(e.value, e.loc, "an array");
        }
        if (e.k === "arrayLit") for (const x of e.elems) if (isText(x.type)) check(x, x.loc, "an array");
        if (e.k === "builtin" && (e.name === "slotsSet" || e.name === "arrayFill")) {
          const [target, second, third] = e.args;
          const value = e.name === "slotsSet" ? third : second;
          if (target !== undefined && value !== undefined && (this.isKept(target) || isText(value.type)))
            check(value, e.loc, "a container");
        }
      },
    });
    return found;
  }
}

function held(loc: Loc, text: boolean, frame: string, reason: Reason): Diagnostic {
  return {
    code: "TMC1606",
    severity: "error",
    loc,
    length: 1,
    message: `the async function \`${frame}\` would keep borrowed ${text ? "text" : "bytes"} over a wait: ${reason}`,
    fix: text
      ? "copy it into a TextBuffer of setup, or read it again after the wait"
      : "copy it into an array of setup, or read it again after the wait",
    related: [],
  };
}

function report(loc: Loc, text: boolean, where: string, reason: Reason): Diagnostic {
  return {
    code: "TMC1603",
    severity: "error",
    loc,
    length: 1,
    message: `borrowed ${text ? "text" : "bytes"} would be kept in ${where}: ${reason}`,
    fix: text
      ? "copy it into a TextBuffer: `buffer.clear(); buffer.write(text);`"
      : "copy it: `kept.set(bytes)`",
    related: [],
  };
}
