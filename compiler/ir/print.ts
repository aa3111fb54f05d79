/** The IR as text (`tmc build --emit ir`): for people and for diffs between compiler versions; nothing reads it back. */
import type { ClassDecl, Expr, FuncDecl, LocalVar, Program, Stmt } from "./nodes.js";
import { typeName, type Type } from "./types.js";

export function printProgram(program: Program): string {
  const out: string[] = [];
  for (const m of program.modules) {
    out.push(`module ${m.path}`);
    for (const c of m.classes) out.push(...printClass(c));
    for (const f of m.functions) out.push(...printFunction(f, "  "));
    if (m.init.length > 0) out.push("  setup", ...m.init.flatMap((s) => printStmt(s, "    ")));
    out.push("");
  }
  return out.join("\n");
}

function printClass(c: ClassDecl): string[] {
  const generics = c.typeParams.length > 0 ? `<${c.typeParams.join(", ")}>` : "";
  const above = [
    ...(c.superclass === undefined ? [] : [`extends ${typeName(c.superclass)}`]),
    ...c.implements.map((t) => `implements ${typeName(t)}`),
  ];
  return [
    `  ${c.isInterface ? "interface" : "class"} ${[`${c.name}${generics}`, ...above].join(" ")}`,
    ...c.fields.map((f) => `    ${f.readonly ? "readonly " : ""}${f.name}: ${typeName(f.type)}`),
    ...(c.ctor === undefined ? [] : printFunction(c.ctor, "    ")),
    ...c.methods.flatMap((m) => printFunction(m, "    ")),
    ...c.signatures.map((m) => `    ${signature(m)}`),
  ];
}

const variable = (v: LocalVar): string =>
  `${v.mutable && v.captured ? "cell " : ""}${v.name}.${v.id}: ${typeName(v.type)}`;

function signature(f: FuncDecl): string {
  const generics = f.typeParams.length > 0 ? `<${f.typeParams.join(", ")}>` : "";
  const captures = f.captures.length > 0 ? ` captures [${f.captures.map((v) => v.name).join(", ")}]` : "";
  const binding = f.cName === undefined ? "" : ` = ${f.cName}`;
  return `${f.kind} ${f.name}${generics}(${f.params.map(variable).join(", ")}): ${typeName(f.ret)}${captures}${binding}`;
}

function printFunction(f: FuncDecl, indent: string): string[] {
  return [`${indent}${signature(f)}`, ...f.body.flatMap((s) => printStmt(s, `${indent}  `))];
}

const block = (list: readonly Stmt[], indent: string): string[] =>
  list.flatMap((s) => printStmt(s, `${indent}  `));
const labelled = (label: string | undefined): string => (label === undefined ? "" : `${label}: `);

function printStmt(s: Stmt, i: string): string[] {
  switch (s.k) {
    case "let":
      return [`${i}let ${variable(s.v)}${s.init === undefined ? "" : ` = ${printExpr(s.init)}`}`];
    case "initGlobal":
      return [
        `${i}global ${s.g.name}: ${typeName(s.g.type)}${s.init === undefined ? "" : ` = ${printExpr(s.init)}`}`,
      ];
    case "expr":
      return [`${i}${printExpr(s.e)}`];
    case "if":
      return [
        `${i}if ${printExpr(s.test)}`,
        ...block(s.then, i),
        ...(s.else.length === 0 ? [] : [`${i}else`, ...block(s.else, i)]),
      ];
    case "for": {
      const test = s.test === undefined ? "" : ` while ${printExpr(s.test)}`;
      const update = s.update === undefined ? "" : ` then ${printExpr(s.update)}`;
      return [
        ...s.init.flatMap((x) => printStmt(x, i)),
        `${i}${labelled(s.label)}loop${test}${update}`,
        ...block(s.body, i),
      ];
    }
    case "doWhile":
      return [`${i}${labelled(s.label)}do`, ...block(s.body, i), `${i}while ${printExpr(s.test)}`];
    case "forOf":
      return [
        `${i}${labelled(s.label)}for ${variable(s.v)}${s.second === undefined ? "" : `, ${variable(s.second)}`} of ${printExpr(s.of)}`,
        ...block(s.body, i),
      ];
    case "switch":
      return [
        `${i}switch ${printExpr(s.subject)}`,
        ...s.cases.flatMap((c) => [
          `${i}  case ${[...c.tests.map(printExpr), ...(c.isDefault ? ["default"] : [])].join(", ")}`,
          ...block(c.body, `${i}  `),
        ]),
      ];
    case "return":
      return [`${i}return${s.value === undefined ? "" : ` ${printExpr(s.value)}`}`];
    case "break":
    case "continue":
      return [`${i}${s.k}${s.label === undefined ? "" : ` ${s.label}`}`];
    case "throw":
      return [`${i}throw ${s.rethrow === undefined ? JSON.stringify(s.message) : s.rethrow.name}`];
    case "try":
      return [
        `${i}try`,
        ...block(s.body, i),
        `${i}catch${s.v === undefined ? "" : ` ${s.v.name}`}`,
        ...block(s.handler, i),
      ];
    case "finally":
      return [`${i}try`, ...block(s.body, i), `${i}finally`, ...block(s.finalizer, i)];
    case "block":
      return [`${i}block`, ...block(s.body, i)];
  }
}

const args = (list: readonly Expr[]): string => list.map(printExpr).join(", ");
const types = (list: readonly Type[]): string =>
  list.length === 0 ? "" : `<${list.map(typeName).join(", ")}>`;

/** One line; the type is shown where it is not plain from the parts. */
export function printExpr(e: Expr): string {
  switch (e.k) {
    case "num":
      return `${Object.is(e.value, -0) ? "-0" : e.value}:${typeName(e.type)}`;
    case "big":
      return `${e.value}:${typeName(e.type)}`;
    case "bool":
      return String(e.value);
    case "str":
    case "literal":
      return JSON.stringify(e.value);
    case "null":
    case "this":
    case "hole":
      return e.k;
    case "local":
      return `${e.v.name}.${e.v.id}`;
    case "global":
    case "staticField":
      return `@${e.g.name}`;
    case "funcref":
      return `&${e.f.name}${types(e.typeArgs)}`;
    case "lambda":
      return `${signature(e.f)} { ${e.f.body.flatMap((s) => printStmt(s, "")).join("; ")} }`;
    case "unary":
      return `${e.op}(${printExpr(e.arg)})`;
    case "arith":
      return `${e.op}.${e.n}${e.wrap ? "" : "!"}(${printExpr(e.l)}, ${printExpr(e.r)})`;
    case "compare":
      return `${e.op}(${printExpr(e.l)}, ${printExpr(e.r)})`;
    case "logical":
      return `${e.op}(${printExpr(e.l)}, ${printExpr(e.r)})`;
    case "isNull":
      return `isNull(${printExpr(e.arg)})`;
    case "instanceof":
      return `instanceof(${printExpr(e.arg)}, ${typeName(e.of)})`;
    case "bind":
      return `(${e.v.name}.${e.v.id} = ${printExpr(e.init)} in ${printExpr(e.body)})`;
    case "cond":
      return `(${printExpr(e.test)} ? ${printExpr(e.then)} : ${printExpr(e.else)})`;
    case "convert":
      return `${e.mode}<${typeName(e.type)}>(${printExpr(e.arg)})`;
    case "call":
      return `${e.f.name}${types(e.typeArgs)}(${args(e.args)})`;
    case "method":
      return `${e.isSuper ? "super" : printExpr(e.recv)}.${e.f.name}${types(e.typeArgs)}(${args(e.args)})`;
    case "superCall":
      return `super(${args(e.args)})`;
    case "callValue":
      return `(${printExpr(e.fn)})(${args(e.args)})`;
    case "builtin":
      return `${e.name}${e.n === undefined ? "" : `.${e.n}`}(${args(e.args)})`;
    case "new":
      return `new ${typeName(e.type)}(${args(e.args)})`;
    case "newTyped":
      return `new ${typeName(e.type)}(${printExpr(e.length)})`;
    case "newSlots":
      return `new ${typeName(e.type)}(${printExpr(e.capacity)})`;
    case "filled":
      return `filled(${printExpr(e.length)}, ${printExpr(e.value)})`;
    case "arrayLit":
      return `${typeName(e.type)}[${e.elems.map((x, i) => (e.spreads?.[i] === true ? "..." : "") + printExpr(x)).join(", ")}]`;
    case "objectLit":
      return `${typeName(e.type)}{${e.fields.map((f) => `${f.name}: ${printExpr(f.value)}`).join(", ")}}`;
    case "field":
      return `${printExpr(e.obj)}.${e.name}`;
    case "index":
      return `${printExpr(e.obj)}[${printExpr(e.index)}]`;
    case "length":
      return `${printExpr(e.obj)}.length`;
    case "assign":
      return `${printExpr(e.target)} = ${printExpr(e.value)}`;
    case "update":
      return `${e.result}(${printExpr(e.target)} := ${printExpr(e.compute)})`;
    case "concat":
      return `concat(${args(e.parts)})`;
    case "await":
      return `await ${e.all ? "all " : ""}(${args(e.calls)})`;
    case "host":
      return `host ${e.how} ${e.recv === undefined ? "" : `${printExpr(e.recv)} `}${e.name}(${args(e.args)})`;
  }
}
