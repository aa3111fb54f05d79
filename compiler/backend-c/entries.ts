/** What the platform calls: one C function per entry of the snapshot, each with its own boundary (port.h). */
import type { ReachedEntry } from "../ir/reachability.js";
import {
  addressOf,
  assign,
  binary,
  call,
  cast,
  deref,
  dot,
  id,
  lit,
  ret,
  type CExpr,
  type CFunction,
  type CStmt,
} from "./c-ast.js";
import { nullForm } from "./c-types.js";
import { LocalNames } from "./names.js";
import type { Unit } from "./unit.js";

/** `app_message` → `tmc_app_message`; `main` → `tmc_program_main`. */
export const entryName = (name: string): string => (name === "main" ? "tmc_program_main" : `tmc_${name}`);

/** The handler of traps that reach an entry's boundary; not called by the platform itself. */
const trapEntry = "app_trap";

export function entryFunctions(unit: Unit): CFunction[] {
  const { entries } = unit.reachable;
  const onTrap = entries.find((e) => e.entry.name === trapEntry);
  const functions: CFunction[] = [];
  if (onTrap !== undefined) functions.push(trapFunction(unit, onTrap));
  for (const e of entries) {
    if (e.entry.name !== trapEntry) functions.push(entryFunction(unit, e, onTrap !== undefined));
  }
  // A node's port calls all of them; an app that handles one event need not name the others.
  if (entries.some((e) => e.entry.name.startsWith("app_"))) {
    for (const [name, params] of Object.entries(portEntries)) {
      if (!entries.some((e) => e.entry.name === name)) functions.push(emptyEntry(name, params));
    }
  }
  return functions;
}

/** The entries of port.h and their parameters. */
const portEntries: Readonly<Record<string, readonly { readonly type: string; readonly name: string }[]>> = {
  app_start: [],
  app_connected: [],
  app_disconnected: [],
  app_message: [
    { type: "tmc_str", name: "topic" },
    { type: "tmc_arr_u8", name: "payload" },
  ],
  app_tick: [{ type: "uint32_t", name: "now_ms" }],
};

function emptyEntry(name: string, params: (typeof portEntries)[string]): CFunction {
  return {
    comment: "/* The app does not handle this event. */",
    storage: "",
    ret: "tmc_trap_kind",
    name: entryName(name),
    params,
    body: [
      ...params.map((p): CStmt => ({ k: "expr", e: cast("void", id(p.name)) })),
      ret(id("TMC_TRAP_NONE")),
    ],
    loc: undefined,
  };
}

function closureCall(unit: Unit, e: ReachedEntry, args: readonly CExpr[], from: string): CExpr {
  const env = unit.data.closureEnv(e.entry.closure);
  const name = unit.functionName(e.func);
  unit.noteCall(from, name, false);
  // A handler may take fewer parameters than its entry passes.
  return call(name, ...(env === undefined ? [] : [env]), ...args.slice(0, e.func.params.length));
}

/** Calls the app's trap handler; a trap inside it is dropped. */
function trapFunction(unit: Unit, e: ReachedEntry): CFunction {
  const name = unit.names.take("app_trapped");
  const kind = cast("int32_t", { k: "member", obj: id("info"), name: "kind", arrow: true });
  const site: CExpr = { k: "member", obj: id("info"), name: "site", arrow: true };
  return {
    comment: "/* Tells the app of a trap that ended one of its entries. */",
    storage: "static",
    ret: "void",
    name,
    params: [{ type: "const tmc_trap_info *", name: "info" }],
    body: [
      { k: "decl", type: "tmc_boundary", name: "boundary" },
      { k: "expr", e: call("tmc_boundary_push", addressOf(id("boundary"))) },
      {
        k: "if",
        test: binary("==", call("setjmp", dot(id("boundary"), "env")), lit("0")),
        then: [
          { k: "expr", e: closureCall(unit, e, [kind, site], name) },
          { k: "expr", e: call("tmc_boundary_pop", addressOf(id("boundary"))) },
        ],
        else: [],
      },
    ],
    loc: undefined,
  };
}

/** What C gets of a handler's result: values. Objects live in the caller's frame, and the caller is gone. */
export function hasResult(e: ReachedEntry): boolean {
  const { name, type } = e.entry;
  return (
    !name.startsWith("app_") && name !== "main" && ["num", "bool", "string", "literals"].includes(type.ret.k)
  );
}

const pointerTo = (type: string): string => `${type} *`;

function entryFunction(unit: Unit, e: ReachedEntry, hasTrapHandler: boolean): CFunction {
  const { name: entry, type } = e.entry;
  const name = entryName(entry);
  unit.names.claim(name);
  const names = new LocalNames(unit.names);
  const params = type.params.map((t, i) => ({
    type: unit.types.type(t),
    name: names.take(e.func.params[i]?.name ?? `a${i + 1}`),
    t,
  }));
  const invoke = closureCall(
    unit,
    e,
    params.map((p) => id(p.name)),
    name,
  );
  const shown = params.map(({ type: cType, name: n }) => ({ type: cType, name: n }));
  const unused: CStmt[] = params
    .slice(e.func.params.length)
    .map((p) => ({ k: "expr", e: cast("void", id(p.name)) }));
  if (entry === "main")
    return {
      comment: undefined,
      storage: "",
      name,
      params: shown,
      loc: undefined,
      ret: "void",
      body: [{ k: "expr", e: invoke }],
    };
  const result = hasResult(e) ? names.take("result") : undefined;
  if (result !== undefined) shown.push({ type: pointerTo(unit.types.type(type.ret)), name: result });
  const base = { comment: undefined, storage: "" as const, name, params: shown, loc: undefined };
  const boundary = id(names.take("boundary"));
  const body: CStmt[] = [
    ...unused,
    { k: "decl", type: "tmc_boundary", name: boundary.k === "id" ? boundary.name : "b" },
  ];
  // The platform may pass no bytes as a NULL pointer; here NULL means null.
  for (const p of params) {
    const form = p.t.k === "nullable" ? undefined : nullForm(p.t);
    if (form?.k !== "member" || form.name !== "ptr") continue;
    const elem = p.t.k === "array" ? p.t.elem : undefined;
    const nothing: CExpr =
      elem === undefined
        ? { k: "str", bytes: "" }
        : {
            k: "compound",
            type: p.type,
            init: { k: "list", items: [{ value: unit.data.nothing(elem) }, { value: lit("0") }] },
          };
    body.push({
      k: "if",
      test: binary("==", dot(id(p.name), "ptr"), lit("NULL")),
      then: [assign(id(p.name), nothing)],
      else: [],
    });
  }
  const info = dot(boundary, "info");
  const caught: CStmt[] = hasTrapHandler ? [{ k: "expr", e: call("app_trapped", addressOf(info)) }] : [];
  body.push({ k: "expr", e: call("tmc_boundary_push", addressOf(boundary)) });
  body.push({
    k: "if",
    test: binary("==", call("setjmp", dot(boundary, "env")), lit("0")),
    then: [
      result === undefined ? { k: "expr", e: invoke } : assign(deref(id(result)), invoke),
      { k: "expr", e: call("tmc_boundary_pop", addressOf(boundary)) },
      ret(id("TMC_TRAP_NONE")),
    ],
    else: [],
  });
  body.push(...caught, ret(dot(info, "kind")));
  if (hasTrapHandler) unit.noteCall(name, "app_trapped", false);
  return { ...base, ret: "tmc_trap_kind", body };
}
