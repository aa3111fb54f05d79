/** IR statements and functions → JavaScript text, with source map marks at every statement. */
import { isMapOrSet } from "../ir/map-type.js";
import type { Expr, FuncDecl, LocalVar, Loc, Stmt } from "../ir/nodes.js";
import { expr, isCell, rt, staticField, type PrintContext } from "./expressions.js";
import { topName } from "./names.js";
import { markText, type Writer } from "./writer.js";

const place = (loc: Loc): string => JSON.stringify(`${loc.file}:${loc.line}:${loc.col}`);

/** Text only (lambdas inside expressions): one line per statement; its marks travel inside the text. */
class LineWriter {
  readonly parts: string[] = [];
  write(text: string): void {
    this.parts.push(text);
  }
  newline(): void {
    this.parts.push("\n");
  }
  indent(): void {
    // Nested text is not indented: it is inside an expression.
  }
  mark(loc: Loc): void {
    this.parts.push(markText(loc));
  }
}
type Out = Pick<Writer, "write" | "newline" | "indent" | "mark">;

export function lambdaText(p: PrintContext, f: FuncDecl): string {
  const out = new LineWriter();
  out.write(`(${params(f, p)}) => `);
  body(p, out, f);
  const captures = f.captures.map((v) => p.local(v)).join(", ");
  const self = f.usesThis ? "this" : "undefined";
  return `${rt}.lambda(${out.parts.join("")}, ${JSON.stringify(f.id)}, () => [${captures}], ${self})`;
}

/** Parameter names; a captured and assigned one arrives under another name and is put in a cell. */
export function params(f: FuncDecl, p: PrintContext): string {
  return f.params
    .map((v) => {
      const name = isCell(v) ? `${p.local(v)}$in` : p.local(v);
      if (v.rest === true) return `...${name}`;
      return v.default === undefined ? name : `${name} = ${expr(p, v.default)}`;
    })
    .join(", ");
}

export function body(p: PrintContext, w: Out, f: FuncDecl): void {
  w.write("{");
  w.newline();
  w.indent(1);
  for (const v of f.params) {
    if (!isCell(v)) continue;
    w.write(`const ${p.local(v)} = { v: ${p.local(v)}$in };`);
    w.newline();
  }
  statements(p, w, f.body);
  w.indent(-1);
  w.write("}");
}

export function statements(p: PrintContext, w: Out, list: readonly Stmt[]): void {
  for (const s of list) {
    w.mark(s.loc);
    statement(p, w, s);
    w.newline();
  }
}

function block(p: PrintContext, w: Out, list: readonly Stmt[]): void {
  w.write("{");
  w.newline();
  w.indent(1);
  statements(p, w, list);
  w.indent(-1);
  w.write("}");
}

function declaration(p: PrintContext, v: LocalVar, init: Expr | undefined): string {
  const name = p.local(v);
  if (isCell(v)) return `${name} = { v: ${init === undefined ? "undefined" : expr(p, init)} }`;
  return init === undefined ? name : `${name} = ${expr(p, init)}`;
}

const labelText = (label: string | undefined): string => (label === undefined ? "" : `${label}: `);

function statement(p: PrintContext, w: Out, s: Stmt): void {
  switch (s.k) {
    case "let": {
      const keyword = s.init !== undefined && (!s.v.mutable || isCell(s.v)) ? "const" : "let";
      w.write(`${keyword} ${declaration(p, s.v, s.init)};`);
      return;
    }
    case "initGlobal": {
      // Declared where it stands: reading it earlier is an error here as in ECMAScript.
      const isStatic = s.g.name.includes(".");
      const name = isStatic ? staticField(p, s.g) : topName(s.g.name);
      if (s.init !== undefined) w.write(`${isStatic ? "" : "let "}${name} = ${expr(p, s.init)};`);
      else if (!isStatic) w.write(`let ${name};`);
      return;
    }
    case "expr":
      w.write(`${expr(p, s.e)};`);
      return;
    case "if":
      w.write(`if (${expr(p, s.test)}) `);
      block(p, w, s.then);
      if (s.else.length > 0) {
        w.write(" else ");
        block(p, w, s.else);
      }
      return;
    case "for":
      forLoop(p, w, s);
      return;
    case "doWhile":
      w.write(`${labelText(s.label)}do `);
      block(p, w, s.body);
      w.write(` while (${expr(p, s.test)});`);
      return;
    case "forOf":
      forOf(p, w, s);
      return;
    case "switch":
      w.write(`switch (${expr(p, s.subject)}) {`);
      w.newline();
      w.indent(1);
      for (const c of s.cases) {
        for (const t of c.tests) w.write(`case ${expr(p, t)}: `);
        if (c.isDefault) w.write("default: ");
        block(p, w, [...c.body, { k: "break", loc: s.loc, label: undefined }]);
        w.newline();
      }
      w.indent(-1);
      w.write("}");
      return;
    case "return":
      w.write(s.value === undefined ? "return;" : `return ${expr(p, s.value)};`);
      return;
    case "break":
    case "continue":
      w.write(s.label === undefined ? `${s.k};` : `${s.k} ${s.label};`);
      return;
    case "throw":
      if (s.rethrow !== undefined)
        w.write(`${rt}.rethrow(${expr(p, { k: "local", type: s.rethrow.type, loc: s.loc, v: s.rethrow })});`);
      else w.write(`${rt}.throwError(${JSON.stringify(s.message)}, ${place(s.loc)});`);
      return;
    case "try": {
      w.write("try ");
      block(p, w, s.body);
      w.write(" catch ($e) {");
      w.newline();
      w.indent(1);
      const caught = `${rt}.caught($e, ${place(s.loc)})`;
      if (s.v === undefined) w.write(`${caught};`);
      else
        w.write(
          isCell(s.v) ? `const ${p.local(s.v)} = { v: ${caught} };` : `const ${p.local(s.v)} = ${caught};`,
        );
      w.newline();
      statements(p, w, s.handler);
      w.indent(-1);
      w.write("}");
      return;
    }
    case "finally":
      w.write("try ");
      block(p, w, s.body);
      w.write(" finally ");
      block(p, w, s.finalizer);
      return;
    case "block":
      block(p, w, s.body);
      return;
  }
}

function forLoop(p: PrintContext, w: Out, s: Extract<Stmt, { k: "for" }>): void {
  const test = s.test === undefined ? "true" : expr(p, s.test);
  const lets = s.init.filter((i): i is Extract<Stmt, { k: "let" }> => i.k === "let");
  const others = s.init.filter((i) => i.k !== "let");
  if (s.update === undefined && s.init.length === 0) {
    w.write(`${labelText(s.label)}while (${test}) `);
  } else {
    const init =
      lets.length > 0
        ? `let ${lets.map((l) => declaration(p, l.v, l.init)).join(", ")}`
        : others.map((o) => (o.k === "expr" ? expr(p, o.e) : "")).join(", ");
    // Each turn has variables of its own: a captured one is copied before the update, as ECMAScript does.
    const copies = lets.filter((l) => isCell(l.v)).map((l) => `${p.local(l.v)} = { v: ${p.local(l.v)}.v }`);
    const update = [...copies, ...(s.update === undefined ? [] : [expr(p, s.update)])].join(", ");
    w.write(`${labelText(s.label)}for (${init}; ${test}; ${update}) `);
  }
  block(p, w, s.body);
}

/** Over a Map or Set, or its values, or keys and values. */
function forOfMap(p: PrintContext, w: Out, s: Extract<Stmt, { k: "forOf" }>): void {
  const vars = s.second === undefined ? [s.v] : [s.v, s.second];
  const names = vars.map((v) => (isCell(v) ? `${p.local(v)}$in` : p.local(v))).join(", ");
  const of = `${expr(p, s.of)}${s.lengthOf === "mapKeys" ? ".keys()" : s.lengthOf === "mapValues" ? ".values()" : ""}`;
  w.write(`${labelText(s.label)}for (const ${s.second === undefined ? names : `[${names}]`} of ${of}) {`);
  w.newline();
  w.indent(1);
  for (const v of vars) {
    if (!isCell(v)) continue;
    w.write(`const ${p.local(v)} = { v: ${p.local(v)}$in };`);
    w.newline();
  }
  // The body may declare the same name again.
  block(p, w, s.body);
  w.newline();
  w.indent(-1);
  w.write("}");
}

function forOf(p: PrintContext, w: Out, s: Extract<Stmt, { k: "forOf" }>): void {
  if (isMapOrSet(s.of.type)) {
    forOfMap(p, w, s);
    return;
  }
  const cell = isCell(s.v);
  const name = p.local(s.v);
  if (s.lengthOf === "array" || s.lengthOf === "host") {
    const item = cell ? `${name}$in` : name;
    w.write(
      `${labelText(s.label)}for (${s.v.mutable && !cell ? "let" : "const"} ${item} of ${expr(p, s.of)}) {`,
    );
    w.newline();
    w.indent(1);
    if (cell) {
      w.write(`const ${name} = { v: ${item} };`);
      w.newline();
    }
  } else {
    const n = p.depth++;
    w.write(
      `${labelText(s.label)}for (let $i${n} = 0, $o${n} = ${expr(p, s.of)}; $i${n} < $o${n}.length; $i${n}++) {`,
    );
    w.newline();
    w.indent(1);
    const item = `$o${n}.get($i${n})`;
    w.write(cell ? `const ${name} = { v: ${item} };` : `${s.v.mutable ? "let" : "const"} ${name} = ${item};`);
    w.newline();
  }
  const isDeclaredInside = cell || !(s.lengthOf === "array" || s.lengthOf === "host");
  if (isDeclaredInside && s.body.some((x) => x.k === "let")) {
    // The body may declare the same name again.
    block(p, w, s.body);
    w.newline();
  } else statements(p, w, s.body);
  w.indent(-1);
  w.write("}");
}
