/** The C syntax tree that the backend builds: only the C that it needs. Types are names (everything is typedef'd). */
import type { Loc } from "../ir/nodes.js";

export type CUnaryOp = "-" | "~" | "!" | "&" | "*";
export type CBinaryOp =
  | "*"
  | "/"
  | "%"
  | "+"
  | "-"
  | "<<"
  | ">>"
  | "<"
  | "<="
  | ">"
  | ">="
  | "=="
  | "!="
  | "&"
  | "^"
  | "|"
  | "&&"
  | "||";

export type CExpr =
  | { readonly k: "id"; readonly name: string }
  /** A literal as it is printed: `5U`, `0x1.8p+1f`, `true`, `NULL`. */
  | { readonly k: "lit"; readonly text: string }
  /** TMC_STR("…"); `bytes` holds one byte per UTF-16 unit. */
  | { readonly k: "str"; readonly bytes: string }
  | { readonly k: "unary"; readonly op: CUnaryOp; readonly arg: CExpr }
  | { readonly k: "binary"; readonly op: CBinaryOp; readonly l: CExpr; readonly r: CExpr }
  | { readonly k: "cond"; readonly test: CExpr; readonly then: CExpr; readonly else: CExpr }
  | { readonly k: "call"; readonly fn: CExpr; readonly args: readonly CExpr[] }
  | { readonly k: "member"; readonly obj: CExpr; readonly name: string; readonly arrow: boolean }
  | { readonly k: "index"; readonly obj: CExpr; readonly index: CExpr }
  | { readonly k: "cast"; readonly type: string; readonly arg: CExpr }
  /** `(type){…}` */
  | { readonly k: "compound"; readonly type: string; readonly init: CInitList }
  /** `arg` followed by a comment. */
  | { readonly k: "note"; readonly arg: CExpr; readonly text: string };

export interface CInitList {
  readonly k: "list";
  readonly items: readonly { readonly name?: string; readonly value: CInit }[];
}
/** `bytes`: a string literal as the initialiser of a pointer to bytes. */
export type CInit = CExpr | CInitList | { readonly k: "bytes"; readonly bytes: string };

export interface CDecl {
  readonly k: "decl";
  /** With qualifiers and storage class: `static const uint8_t`. */
  readonly type: string;
  readonly name: string;
  /** Length of an array. */
  readonly length?: number | undefined;
  readonly init?: CInit | undefined;
  readonly loc?: Loc | undefined;
}

export type CStmt =
  | CDecl
  | { readonly k: "expr"; readonly e: CExpr; readonly loc?: Loc | undefined }
  | { readonly k: "assign"; readonly target: CExpr; readonly value: CExpr; readonly loc?: Loc | undefined }
  | {
      readonly k: "if";
      readonly test: CExpr;
      readonly then: readonly CStmt[];
      readonly else: readonly CStmt[];
      readonly loc?: Loc | undefined;
    }
  | {
      readonly k: "for";
      /** A declaration or assignment without statements of its own. */
      readonly init: CStmt | undefined;
      readonly test: CExpr | undefined;
      readonly update: CStmt | undefined;
      readonly body: readonly CStmt[];
      readonly loc?: Loc | undefined;
    }
  | {
      readonly k: "while";
      readonly test: CExpr;
      readonly body: readonly CStmt[];
      readonly loc?: Loc | undefined;
    }
  | {
      readonly k: "doWhile";
      readonly body: readonly CStmt[];
      readonly test: CExpr;
      readonly loc?: Loc | undefined;
    }
  | {
      readonly k: "switch";
      readonly subject: CExpr;
      readonly cases: readonly {
        readonly tests: readonly CExpr[];
        readonly isDefault: boolean;
        readonly body: readonly CStmt[];
      }[];
      readonly loc?: Loc | undefined;
    }
  | { readonly k: "return"; readonly value: CExpr | undefined; readonly loc?: Loc | undefined }
  | { readonly k: "break" | "continue"; readonly loc?: Loc | undefined }
  | { readonly k: "goto"; readonly label: string; readonly loc?: Loc | undefined }
  | { readonly k: "label"; readonly name: string; readonly loc?: undefined }
  | { readonly k: "block"; readonly body: readonly CStmt[]; readonly loc?: Loc | undefined };

export interface CFunction {
  readonly comment: string | undefined;
  /** `static`, or empty for what the platform calls. */
  readonly storage: "static" | "static inline" | "";
  /** Never inlined: its caller has a setjmp, which costs optimisations. */
  readonly apart?: boolean;
  /** Compiled to be small, where everything else is compiled to be fast. */
  readonly small?: boolean;
  readonly ret: string;
  readonly name: string;
  readonly params: readonly { readonly type: string; readonly name: string }[];
  readonly body: readonly CStmt[];
  readonly loc: Loc | undefined;
}

// ---- short constructors -----------------------------------------------------------------------------------------

export const id = (name: string): CExpr => ({ k: "id", name });
export const lit = (text: string): CExpr => ({ k: "lit", text });
export const call = (fn: string | CExpr, ...args: CExpr[]): CExpr => ({
  k: "call",
  fn: typeof fn === "string" ? id(fn) : fn,
  args,
});
export const binary = (op: CBinaryOp, l: CExpr, r: CExpr): CExpr => ({ k: "binary", op, l, r });
export const unary = (op: CUnaryOp, arg: CExpr): CExpr => ({ k: "unary", op, arg });
export const dot = (obj: CExpr, name: string): CExpr => ({ k: "member", obj, name, arrow: false });
export const cast = (type: string, arg: CExpr): CExpr =>
  arg.k === "cast" && arg.type === type ? arg : { k: "cast", type, arg };
export const at = (obj: CExpr, index: CExpr): CExpr => ({ k: "index", obj, index });
export const list = (...values: CInit[]): CInitList => ({
  k: "list",
  items: values.map((value) => ({ value })),
});
export const exprStmt = (e: CExpr): CStmt => ({ k: "expr", e });
export const assign = (target: CExpr, value: CExpr): CStmt => ({ k: "assign", target, value });
export const ret = (value: CExpr | undefined): CStmt => ({ k: "return", value });
export const NULL_PTR = lit("NULL");

/** The address of a place; `&*p` is `p`. */
export const addressOf = (e: CExpr): CExpr => (e.k === "unary" && e.op === "*" ? e.arg : unary("&", e));

/** A member of a place: `(*p).x` is `p->x`. */
export const member = (place: CExpr, name: string): CExpr =>
  place.k === "unary" && place.op === "*"
    ? { k: "member", obj: place.arg, name, arrow: true }
    : { k: "member", obj: place, name, arrow: false };
export const deref = (e: CExpr): CExpr => (e.k === "unary" && e.op === "&" ? e.arg : unary("*", e));
