/**
 * What a call inside an async function waits for: the frames embedded for it, the places of its arguments and its result.
 * Which values a function value may have is in `value-calls.ts`.
 */
import { allSupertypes, isSubtype, type ObjectType } from "../hierarchy.js";
import type { Expr, ExprOf, FuncDecl, Loc, LValue, Program } from "../nodes.js";
import { sameType, substitute, typeKey, VOID, type Type } from "../types.js";
import type { Frame } from "./frames.js";
import { field, storedType } from "./make.js";
import { suspendBinding } from "./promise.js";
import type { Started } from "./split.js";
import type { ValueCalls } from "./value-calls.js";

/** The function that calls, and what is around it. */
export interface CallsHost {
  readonly program: Program;
  readonly frame: Frame;
  /** Stands for the frame. */
  readonly self: Expr;
  readonly frames: ReadonlyMap<FuncDecl, Frame>;
  readonly values: ValueCalls | undefined;
  /** Reports a call of which it is not known what is called. */
  refuse(call: Expr): void;
}

export class Calls {
  constructor(private readonly host: CallsHost) {}

  /** The frame of a call, or of each method that it may reach. `slot`: calls that run at once differ. */
  start(call: Expr, slot: number): Started | undefined {
    const nothing = {
      frame: undefined,
      places: [],
      wrap: (e: Expr) => e,
      result: undefined,
      receiver: undefined,
      others: [],
    };
    if (call.k === "call") {
      if (call.f.cName === suspendBinding) return nothing;
      const target = this.host.frames.get(call.f);
      if (target === undefined) return this.unknown(call);
      return this.embed(target, call.typeArgs, slot, call.loc, undefined);
    }
    if (call.k === "callValue") return this.startValue(call, slot);
    if (call.k !== "method" || call.recv.type.k !== "object") return this.unknown(call);
    const recv = call.recv.type;
    const targets = call.isSuper ? [call.f] : this.methodsFor(recv, call.f);
    const started: Started[] = [];
    for (const f of targets) {
      const target = this.host.frames.get(f);
      const owner = f.owner;
      if (target === undefined || owner === undefined) return this.unknown(call);
      const above = allSupertypes(this.host.program.classes, recv).find((t) => t.decl === owner.id);
      if (above === undefined && owner.typeParams.length > 0) return this.unknown(call);
      const args = [...(above?.args ?? []), ...call.typeArgs];
      const receiver: Type = above ?? { k: "object", decl: owner.id, args: [] };
      started.push(this.embed(target, args, slot, call.loc, receiver));
    }
    const [first, ...others] = started;
    return first === undefined ? nothing : { ...first, others };
  }

  private startValue(call: ExprOf<"callValue">, slot: number): Started | undefined {
    const { frame, values: calls } = this.host;
    const callee = calls?.callee(call, frame.f);
    if (calls === undefined || callee === undefined) return this.unknown(call);
    const frames = (callee.k === "known" ? [callee.f] : callee.all).map((f) => this.host.frames.get(f));
    const targets = frames.filter((x) => x !== undefined);
    const generic = callee.k === "several" && targets.some((t) => t.cls.typeParams.length > 0);
    if (generic || targets.length !== frames.length) return this.unknown(call);
    const [first] = targets;
    if (callee.k === "known" && first !== undefined) {
      const args = first.cls.typeParams.map((name): Type => ({ k: "param", name }));
      if (args.some((t) => t.k === "param" && !frame.cls.typeParams.includes(t.name)))
        return this.unknown(call);
      const inner = this.embed(first, args, slot, call.loc, undefined, first.parameters.length);
      const around: Expr | undefined =
        first.self === undefined ? undefined : { k: "this", type: first.self, loc: call.loc };
      return calls.known(call, first, inner, around);
    }
    const places = targets.flatMap((target) => {
      const inner = this.embed(target, [], slot, call.loc, undefined).frame;
      return inner === undefined ? [] : [{ target, inner }];
    });
    return calls.several(call, places, (name, type) => frame.newLocal(name, type));
  }

  private unknown(call: Expr): undefined {
    this.host.refuse(call);
  }

  /** The methods that a call may reach, of subclasses before those of their superclasses. */
  private methodsFor(recv: ObjectType, f: FuncDecl): FuncDecl[] {
    const { classes } = this.host.program;
    const found: FuncDecl[] = [];
    for (const c of classes.values()) {
      if (c.isInterface || c.isAbstract) continue;
      const open: ObjectType = {
        k: "object",
        decl: c.id,
        args: c.typeParams.map((name) => ({ k: "param", name })),
      };
      const above = allSupertypes(classes, open);
      if (!above.some((t) => t.decl === recv.decl)) continue;
      const own = above
        .map((t) => classes.get(t.decl)?.methods.find((m) => m.name === f.name && !m.isStatic))
        .find((m) => m !== undefined);
      if (own !== undefined && !found.includes(own)) found.push(own);
    }
    const depth = (m: FuncDecl): number => {
      const owner = m.owner;
      if (owner === undefined) return 0;
      return allSupertypes(classes, { k: "object", decl: owner.id, args: [] }).length;
    };
    return found.sort((a, b) => depth(b) - depth(a));
  }

  private embed(
    target: Frame,
    args: readonly Type[],
    slot: number,
    loc: Loc,
    receiver: Type | undefined,
    places = target.f.params.length,
  ): Started {
    const type: ObjectType = { k: "object", decl: target.cls.id, args };
    const { frame, self } = this.host;
    const name = frame.innerFrame(`${typeKey(type)} ${slot}`, target, type, loc);
    const inner = field(self, name, type);
    const map = new Map(target.cls.typeParams.map((p, i) => [p, args[i] ?? VOID]));
    const place = (fieldName: string, t: Type): LValue =>
      field(inner, fieldName, substitute(storedType(t), map));
    const result = target.result;
    return {
      frame: inner,
      places: [
        ...(target.self === undefined ? [] : [place("self", target.self)]),
        ...target.parameters.slice(0, places).map((p) => place(p.field, p.v.type)),
      ],
      wrap: (value, t) => this.wrap(value, t),
      result:
        result === undefined
          ? undefined
          : this.unwrap(place("result", result.type), substitute(result.type, map)),
      receiver,
      others: [],
    };
  }

  private unwrap(place: Expr, type: Type): Expr {
    return sameType(place.type, type)
      ? place
      : { k: "convert", type, loc: place.loc, mode: "unwrap", arg: place };
  }

  private wrap(value: Expr, place: Type): Expr {
    const from = value.type;
    if (sameType(from, place) || place.k !== "nullable") return value;
    const { of } = place;
    let given = value;
    if (from.k === "object" && of.k === "object" && !sameType(from, of)) {
      const mode = isSubtype(this.host.program.classes, from, of) ? "upcast" : "downcast";
      given = { k: "convert", type: of, loc: value.loc, mode, arg: value };
    }
    return { k: "convert", type: place, loc: value.loc, mode: "wrapNull", arg: given };
  }
}
