/**
 * Prints the C syntax tree: 4-space LLVM style, `#line` directives that keep C lines on TypeScript lines, parentheses
 * where C or its compilers' -Wparentheses want them.
 */
import type { CBinaryOp, CExpr, CFunction, CInit, CStmt } from "./c-ast.js";
import type { Loc } from "../ir/nodes.js";

const width = 110;

const precedence: Readonly<Record<CBinaryOp, number>> = {
  "*": 10,
  "/": 10,
  "%": 10,
  "+": 9,
  "-": 9,
  "<<": 8,
  ">>": 8,
  "<": 7,
  "<=": 7,
  ">": 7,
  ">=": 7,
  "==": 6,
  "!=": 6,
  "&": 5,
  "^": 4,
  "|": 3,
  "&&": 2,
  "||": 1,
};
const arithmetic = new Set<CBinaryOp>(["*", "/", "%", "+", "-"]);
const comparison = new Set<CBinaryOp>(["<", "<=", ">", ">=", "==", "!="]);

/** A C string literal of bytes; what is not printable ASCII as three octal digits. */
export function quoted(bytes: string): string {
  let out = "";
  for (const ch of bytes) {
    const c = ch.charCodeAt(0) & 0xff;
    if (ch === '"' || ch === "\\") out += `\\${ch}`;
    else if (ch === "\n") out += "\\n";
    else if (ch === "?") out += "\\?";
    else out += c >= 0x20 && c < 0x7f ? ch : `\\${c.toString(8).padStart(3, "0")}`;
  }
  return `"${out}"`;
}

/** May `child` stand beside operator `op` without parentheses? */
function bare(child: CBinaryOp, op: CBinaryOp, isRight: boolean): boolean {
  if (op === "&&" || op === "||")
    return comparison.has(child) || arithmetic.has(child) || (child === op && !isRight);
  if (comparison.has(op)) return arithmetic.has(child);
  if (arithmetic.has(op) && arithmetic.has(child)) {
    return isRight ? precedence[child] > precedence[op] : precedence[child] >= precedence[op];
  }
  return child === op && !isRight && (op === "&" || op === "|" || op === "^");
}

function operand(e: CExpr, op: CBinaryOp, isRight: boolean): string {
  const text = printExpr(e);
  if (e.k === "cond") return `(${text})`;
  if (e.k === "binary" && !bare(e.op, op, isRight)) return `(${text})`;
  return text;
}

/** As the operand of a unary operator or a cast. */
function prefixOperand(e: CExpr): string {
  const text = printExpr(e);
  return e.k === "binary" || e.k === "cond" || text.startsWith("-") ? `(${text})` : text;
}

function postfixOperand(e: CExpr): string {
  const text = printExpr(e);
  return e.k === "binary" || e.k === "cond" || e.k === "unary" || e.k === "cast" || e.k === "note"
    ? `(${text})`
    : text;
}

export function printExpr(e: CExpr): string {
  switch (e.k) {
    case "id":
      return e.name;
    case "lit":
      return e.text;
    case "str":
      return `TMC_STR(${quoted(e.bytes)})`;
    case "unary":
      return `${e.op}${e.arg.k === "unary" ? `(${printExpr(e.arg)})` : prefixOperand(e.arg)}`;
    case "binary":
      return `${operand(e.l, e.op, false)} ${e.op} ${operand(e.r, e.op, true)}`;
    case "cond": {
      const test =
        e.test.k === "cond" || e.test.k === "binary" ? `(${printExpr(e.test)})` : printExpr(e.test);
      return `${test} ? ${branch(e.then)} : ${branch(e.else)}`;
    }
    case "call":
      return `${postfixOperand(e.fn)}(${e.args.map(printExpr).join(", ")})`;
    case "member":
      return `${postfixOperand(e.obj)}${e.arrow ? "->" : "."}${e.name}`;
    case "index":
      return `${postfixOperand(e.obj)}[${printExpr(e.index)}]`;
    case "cast":
      return `(${e.type})${prefixOperand(e.arg)}`;
    case "compound":
      return `(${e.type})${printInit(e.init)}`;
    case "note":
      return `${printExpr(e.arg)} /* ${e.text.replaceAll("*/", "* /")} */`;
  }
}

const branch = (e: CExpr): string => (e.k === "cond" ? `(${printExpr(e)})` : printExpr(e));

export function printInit(i: CInit): string {
  if (i.k === "bytes") return `(const uint8_t *)${quoted(i.bytes)}`;
  if (i.k !== "list") return printExpr(i);
  if (i.items.length === 0) return "{0}";
  return `{${i.items.map((x) => (x.name === undefined ? "" : `.${x.name} = `) + printInit(x.value)).join(", ")}}`;
}

/** `type` and `name` joined as in a declaration: `uint8_t x`, `Point *p`. */
export const declarator = (type: string, name: string): string =>
  type.endsWith("*") ? type + name : `${type} ${name}`;

export class CPrinter {
  readonly #lines: string[] = [];
  #indent = 0;
  /** The source position that the C compiler gives to the next line; undefined: the C file itself. */
  #position: { file: string; line: number } | undefined;
  /** Of the statement of TypeScript that is being printed: it may be several of C. */
  #statement: Loc | undefined;

  /**
   * `fileName`: the name of the C file, for `#line` back to it.
   * `debug`: a statement is one line, however long, so that a debugger finds none of its parts on the lines below.
   */
  constructor(
    private readonly fileName: string,
    private readonly debug = false,
  ) {}

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  /** A line of text that comes from no TypeScript line: comments, directives, type definitions. */
  raw(text: string): void {
    if (this.#position !== undefined) {
      this.#position = undefined;
      this.#lines.push(`#line ${this.#lines.length + 2} "${this.fileName}"`);
    }
    this.#lines.push(...text.split("\n"));
  }

  #line(text: string): void {
    const whole = "    ".repeat(this.#indent) + text;
    const lines = this.debug ? [whole] : broken(whole, "    ".repeat(this.#indent + 1));
    this.#lines.push(...lines);
    if (this.#position !== undefined) this.#position.line += lines.length;
  }

  #sync(loc: Loc | undefined): void {
    if (loc === undefined) return;
    this.#statement = loc;
    const at = this.#position;
    const gap = at !== undefined && at.file === loc.file ? loc.line - at.line : -1;
    if (gap === 0) return;
    if (gap > 0 && gap <= 2) {
      for (let i = 0; i < gap; i++) this.#lines.push("");
    } else {
      this.#lines.push(`#line ${loc.line} "${loc.file}"`);
    }
    this.#position = { file: loc.file, line: loc.line };
  }

  signature(f: Pick<CFunction, "storage" | "ret" | "name" | "params" | "apart" | "small">): string {
    const params = f.params.map((p) => declarator(p.type, p.name)).join(", ");
    const head = declarator(f.ret, f.name);
    const how = `${f.small === true ? "TMC_SMALL " : ""}${f.apart === true ? "TMC_NOINLINE " : ""}`;
    return `${how}${f.storage === "" ? "" : `${f.storage} `}${head}(${params === "" ? "void" : params})`;
  }

  function(f: CFunction): void {
    this.#statement = undefined;
    this.raw("");
    if (f.comment !== undefined) this.raw(f.comment);
    this.#sync(f.loc);
    this.#line(`${this.signature(f)} {`);
    this.#body(f.body);
    this.#line("}");
  }

  /** A declaration at file level. */
  data(d: Extract<CStmt, { k: "decl" }>): void {
    const array = d.length === undefined ? "" : `[${d.length}]`;
    const head = `${declarator(d.type, d.name)}${array}`;
    if (d.init === undefined) {
      this.raw(`${head};`);
      return;
    }
    this.raw(`${head} =${wrapped(printInit(d.init), head.length + 4)};`);
  }

  #body(body: readonly CStmt[]): void {
    this.#indent++;
    for (const s of body) this.#stmt(s);
    this.#indent--;
  }

  /** One statement without its semicolon, for the head of a `for`. */
  #inline(s: CStmt): string {
    switch (s.k) {
      case "decl":
        return (
          declarator(s.type, s.name) +
          (s.length === undefined ? "" : `[${s.length}]`) +
          (s.init === undefined ? "" : ` = ${printInit(s.init)}`)
        );
      case "assign":
        return assignment(s.target, s.value);
      case "expr":
        return printExpr(s.e);
      default:
        throw new Error(`${s.k} in the head of a for`);
    }
  }

  #stmt(s: CStmt): void {
    const idle = s.k === "label" || s.k === "block" || (s.k === "decl" && s.init === undefined);
    this.#sync(s.loc ?? (idle ? undefined : this.#statement));
    switch (s.k) {
      case "decl":
      case "assign":
      case "expr":
        this.#line(`${this.#inline(s)};`);
        return;
      case "if":
        this.#if(s, "");
        return;
      case "for": {
        const init = s.init === undefined ? "" : this.#inline(s.init);
        const test = s.test === undefined ? "" : ` ${printExpr(s.test)}`;
        const update = s.update === undefined ? "" : ` ${this.#inline(s.update)}`;
        this.#line(`for (${init};${test};${update}) {`);
        this.#body(s.body);
        this.#line("}");
        return;
      }
      case "while":
        this.#line(`while (${printExpr(s.test)}) {`);
        this.#body(s.body);
        this.#line("}");
        return;
      case "doWhile":
        this.#line("do {");
        this.#body(s.body);
        this.#line(`} while (${printExpr(s.test)});`);
        return;
      case "switch":
        this.#line(`switch (${printExpr(s.subject)}) {`);
        for (const c of s.cases) {
          const labels = [
            ...c.tests.map((t) => `case ${printExpr(t)}:`),
            ...(c.isDefault ? ["default:"] : []),
          ];
          labels.forEach((label, i) => this.#line(i === labels.length - 1 ? `${label} {` : label));
          this.#body(c.body);
          this.#line("}");
        }
        this.#line("}");
        return;
      case "return":
        this.#line(s.value === undefined ? "return;" : `return ${printExpr(s.value)};`);
        return;
      case "break":
      case "continue":
        this.#line(`${s.k};`);
        return;
      case "goto":
        this.#line(`goto ${s.label};`);
        return;
      case "label":
        this.#line(`${s.name}:;`);
        return;
      case "block":
        this.#line("{");
        this.#body(s.body);
        this.#line("}");
        return;
    }
  }

  #if(s: Extract<CStmt, { k: "if" }>, prefix: string): void {
    this.#line(`${prefix}if (${printExpr(s.test)}) {`);
    this.#body(s.then);
    const only = s.else[0];
    if (s.else.length === 1 && only?.k === "if" && only.loc === undefined) {
      this.#if(only, "} else ");
      return;
    }
    if (s.else.length > 0) {
      this.#line("} else {");
      this.#body(s.else);
    }
    this.#line("}");
  }
}

function assignment(target: CExpr, value: CExpr): string {
  if (
    value.k === "binary" &&
    value.op === "+" &&
    value.r.k === "lit" &&
    value.r.text === "1" &&
    value.l === target
  ) {
    return `++${printExpr(target)}`;
  }
  return `${printExpr(target)} = ${printExpr(value)}`;
}

/** Breaks a long line after a comma or a logical operator. */
function broken(text: string, indent: string): string[] {
  const out: string[] = [];
  let rest = text;
  while (rest.length > width) {
    let cut = -1;
    let inText = false;
    for (let i = indent.length; i < width; i++) {
      const ch = rest[i];
      if (ch === "\\" && inText) i++;
      else if (ch === '"') inText = !inText;
      else if (!inText && ch === " " && /(,|&&|\|\|)$/.test(rest.slice(0, i))) cut = i;
    }
    if (cut < 0) break;
    out.push(rest.slice(0, cut));
    rest = indent + rest.slice(cut + 1);
  }
  return [...out, rest];
}

/** Breaks a long initialiser at commas. */
function wrapped(text: string, used: number): string {
  if (text.length + used <= width) return ` ${text}`;
  const out: string[] = [];
  let line = "   ";
  let quotedText = false;
  let word = "";
  const flush = (): void => {
    if (line.length + word.length > width && line.trim() !== "") {
      out.push(line);
      line = "   ";
    }
    line += line === "   " ? ` ${word.trimStart()}` : word;
    word = "";
  };
  for (let i = 0; i < text.length; i++) {
    const ch = text[i] ?? "";
    word += ch;
    if (ch === "\\" && quotedText) {
      word += text[++i] ?? "";
    } else if (ch === '"') {
      quotedText = !quotedText;
    } else if (ch === "," && !quotedText) {
      flush();
    }
  }
  flush();
  out.push(line);
  return `\n${out.join("\n")}`;
}
