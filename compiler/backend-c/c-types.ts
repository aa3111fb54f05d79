/**
 * The C type of each IR type. Types are made on demand and remembered with what they need by value, so that the
 * definitions come out in an order that C accepts. The members of structs are decided in `layout.ts`.
 */
import { isSubclass, type MonoClass, type Monomorphiser } from "../ir/monomorphise.js";
import { isRecordDecl } from "../ir/record.js";
import type { NumKind, Type } from "../ir/types.js";
import { typeKey } from "../ir/types.js";
import { isUnionDecl } from "../ir/union.js";
import { identifier, moduleName, type FileNames } from "./names.js";

export const numTypes: Readonly<Record<NumKind, string>> = {
  i8: "int8_t",
  u8: "uint8_t",
  i16: "int16_t",
  u16: "uint16_t",
  i32: "int32_t",
  u32: "uint32_t",
  i64: "int64_t",
  u64: "uint64_t",
  f32: "float",
  f64: "double",
};

/** Element tags that tmc.h declares arrays of. */
const runtimeArrays = new Set<string>([...Object.keys(numTypes), "bool", "str"]);

/** How `T | null` is represented. */
export type NullForm =
  /** NULL pointer (objects), `.ptr == NULL` (strings, arrays), `.fn == NULL` (functions). */
  | { readonly k: "pointer" }
  | { readonly k: "member"; readonly name: "ptr" | "fn" }
  /** A struct of its own: `{ bool has; T value; }`. */
  | { readonly k: "optional" };

export function nullForm(of: Type): NullForm {
  switch (of.k) {
    case "object":
    case "null":
      return { k: "pointer" };
    case "string":
    case "array":
    case "slots":
      return { k: "member", name: "ptr" };
    case "func":
      return { k: "member", name: "fn" };
    default:
      return { k: "optional" };
  }
}

interface Definition {
  readonly name: string;
  /** Types that must be defined before, or at least declared when they are pointers. */
  readonly needs: readonly string[];
  readonly text: string;
}

export class CTypes {
  readonly #definitions = new Map<string, Definition>();
  readonly #structNames = new Map<string, string>();
  readonly #byKey = new Map<string, string>();
  /** Structs that are referred to: forward declared. */
  readonly #forward = new Set<string>();
  readonly #concrete: readonly MonoClass[];
  readonly #concreteOf = new Map<MonoClass, readonly MonoClass[]>();
  /** Defines the struct of a class; set by layout. */
  defineStruct: (c: MonoClass) => void = () => undefined;

  constructor(
    private readonly mono: Monomorphiser,
    instantiated: readonly MonoClass[],
    private readonly names: FileNames,
  ) {
    this.#concrete = instantiated;
  }

  /** Instantiated classes whose objects a reference of this type may refer to. */
  concreteOf(c: MonoClass): readonly MonoClass[] {
    let found = this.#concreteOf.get(c);
    if (found === undefined) {
      found = this.#concrete.filter((x) => isSubclass(x, c));
      this.#concreteOf.set(c, found);
    }
    return found;
  }

  isInstantiated(c: MonoClass): boolean {
    return this.#concrete.includes(c);
  }

  /** The name of a class's struct, whether it gets defined or not. */
  structName(c: MonoClass): string {
    const known = this.#structNames.get(c.key);
    if (known !== undefined) return known;
    // The types in a record or union would make names that nobody reads: they are numbered.
    const unnamed = isUnionDecl(c.decl.id) || isRecordDecl(c.decl.id);
    const args = unnamed ? "" : c.type.args.map((t) => `_${this.tag(t)}`).join("");
    const plain = identifier(c.decl.name) + args;
    const name = unnamed
      ? this.names.take(plain)
      : this.names.has(plain)
        ? this.names.take(`${moduleName(c.decl.module)}_${plain}`)
        : this.names.take(plain);
    this.#structNames.set(c.key, name);
    return name;
  }

  /**
   * The class whose struct a reference of type `c` points to. An interface with one implementing class is that
   * class; with several it is opaque (or the struct of its own literals) and accesses go by class id.
   */
  representative(c: MonoClass): MonoClass {
    if (!c.decl.isInterface) return c;
    const concrete = this.concreteOf(c);
    const only = concrete[0];
    return concrete.length === 1 && only !== undefined ? only : c;
  }

  /** The struct that a reference of an object type points to. */
  structOf(t: Extract<Type, { k: "object" }>): string {
    const c = this.representative(this.mono.classOf(t));
    const name = this.structName(c);
    this.#forward.add(name);
    if (!c.decl.isInterface || this.isInstantiated(c)) this.defineStruct(c);
    return name;
  }

  /** A C type name; pointers end in ` *`. */
  type(t: Type): string {
    switch (t.k) {
      case "num":
        return numTypes[t.n];
      case "bool":
        return "bool";
      case "void":
        return "void";
      case "string":
        return "tmc_str";
      case "literals":
        return "uint16_t";
      case "null":
        return "void *";
      case "nullable":
        return nullForm(t.of).k === "optional" ? this.#optional(t.of) : this.type(t.of);
      case "array":
      case "slots":
        return this.#array(t.elem);
      case "object":
        return `${this.structOf(t)} *`;
      case "func":
        return this.#func(t);
      case "param":
      case "host":
        throw new Error(`no C type for ${typeKey(t)}`);
    }
  }

  /** A short name of a type for use inside names: `u8`, `str`, `Point`, `arr_u8`. */
  tag(t: Type): string {
    switch (t.k) {
      case "num":
        return t.n;
      case "bool":
      case "void":
      case "null":
        return t.k;
      case "string":
        return "str";
      case "literals":
        return "u16";
      case "nullable":
        return `opt_${this.tag(t.of)}`;
      case "array":
      case "slots":
        return `arr_${this.tag(t.elem)}`;
      case "object":
        return this.structName(this.representative(this.mono.classOf(t)));
      case "func":
        return `fn_${t.params.map((p) => this.tag(p)).join("_") || "void"}_to_${this.tag(t.ret)}`;
      default:
        return identifier(typeKey(t));
    }
  }

  #array(elem: Type): string {
    const tag = this.tag(elem);
    if (runtimeArrays.has(tag)) return `tmc_arr_${tag}`;
    return this.#define(`arr_${tag}`, `arr ${tag}`, [elem], (name) => ({
      needs: this.#needed(elem),
      text: `TMC_DECLARE_ARRAY(${name}, ${this.type(elem)});`,
    }));
  }

  #optional(of: Type): string {
    const tag = this.tag(of);
    return this.#define(`opt_${tag}`, `opt ${tag}`, [of], (name) => ({
      needs: [],
      text: `typedef struct {\n    bool has;\n    ${this.type(of)} value;\n} ${name};`,
    }));
  }

  #func(t: Extract<Type, { k: "func" }>): string {
    const tag = this.tag(t);
    return this.#define(tag, `fn ${tag}`, [...t.params, t.ret], (name) => {
      const params = ["const void *env", ...t.params.map((p) => this.type(p))].join(", ");
      const ret = this.type(t.ret);
      return {
        needs: [...t.params, t.ret].flatMap((p) => this.#needed(p)),
        text: `typedef struct {\n    ${ret}${ret.endsWith("*") ? "" : " "}(*fn)(${params});\n    const void *env;\n} ${name};`,
      };
    });
  }

  #define(
    wanted: string,
    key: string,
    parts: readonly Type[],
    make: (name: string) => { readonly needs: readonly string[]; readonly text: string },
  ): string {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const name = this.names.take(wanted);
    this.#byKey.set(key, name);
    for (const p of parts) if (p.k !== "void") this.type(p);
    this.#definitions.set(name, { name, ...make(name) });
    return name;
  }

  /** Types whose definitions a member (or parameter typedef) of type `t` needs. */
  #needed(t: Type): string[] {
    return t.k === "void" ? [] : [this.type(t)];
  }

  /** Registers the definition of a struct made elsewhere. */
  define(name: string, needs: readonly string[], text: string): void {
    this.#definitions.set(name, { name, needs, text });
  }

  /** `typedef struct X X;` lines. */
  forwardDeclarations(): string[] {
    return [...this.#forward].sort().map((n) => `typedef struct ${n} ${n};`);
  }

  /** Declares `typedef struct name name;` for a struct that is only defined here. */
  forward(name: string): void {
    this.#forward.add(name);
  }

  /** All definitions (or those of `names`), what they need first. */
  definitions(names: Iterable<string> = this.#definitions.keys()): string[] {
    const out: string[] = [];
    const done = new Set<string>();
    const visit = (name: string): void => {
      const d = this.#definitions.get(name);
      if (d === undefined || done.has(name)) return;
      done.add(name);
      for (const n of d.needs) {
        // A pointer needs no definition of a struct that is declared forward.
        const base = n.replace(/[ *]+$/, "");
        if (base === n || !this.#forward.has(base)) visit(base);
      }
      out.push(d.text);
    };
    for (const name of [...names].sort()) visit(name);
    return out;
  }
}
