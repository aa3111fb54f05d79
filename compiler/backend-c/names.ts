/**
 * C identifiers: TypeScript names kept as far as C lets them. One registry for the file scope; function scopes ask it
 * so that no local hides a name of the file.
 */
import type { FuncDecl } from "../ir/nodes.js";

const reserved = new Set(
  (
    "auto break case char const continue default do double else enum extern float for goto if inline int long register " +
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof " +
    "bool true false NULL offsetof setjmp longjmp jmp_buf errno assert unix linux i386 arm main memset memcpy memmove " +
    "memcmp int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t size_t self env"
  ).split(" "),
);

/** Any text as an identifier: everything else becomes `_`. */
export function identifier(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[A-Za-z]/.test(name) ? name : `x${name}`;
}

/** `firmware/core/router.ts` → `router`; `…/text/index.ts` → `text`. */
export function moduleName(path: string): string {
  const parts = path.replace(/(\.d)?\.[cm]?[jt]s$/, "").split("/");
  const last = parts.pop() ?? "";
  return identifier(last === "index" ? (parts.pop() ?? last) : last);
}

/** `Router_dispatch`, `crc_update`, `app_main_lambda1`: class members by class, the rest by module. */
export function functionBaseName(f: FuncDecl, ownerName: string | undefined): string {
  if (ownerName !== undefined)
    return `${ownerName}_${f.kind === "constructor" ? "init" : identifier(f.name)}`;
  const path = f.id.slice(f.id.lastIndexOf("#") + 1);
  return `${moduleName(f.module)}_${identifier(path)}`;
}

export class FileNames {
  readonly #taken = new Set<string>();

  /** Takes `wanted`, or `wanted_2`, `wanted_3`, … */
  take(wanted: string): string {
    const base = /^(tmc_|TMC_)/.test(wanted) ? `x_${wanted}` : wanted;
    let name = base;
    for (let i = 2; this.#taken.has(name) || reserved.has(name); i++) name = `${base}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /** Takes exactly this name (entries, externs). */
  claim(name: string): void {
    this.#taken.add(name);
  }

  has(name: string): boolean {
    return this.#taken.has(name) || reserved.has(name);
  }
}

/** Names of one function: a name may come again in a scope beside, never in a scope inside. */
export class LocalNames {
  readonly #scopes: Set<string>[] = [new Set()];
  readonly #used = new Set<string>();

  constructor(private readonly file: FileNames) {}

  take(wanted: string): string {
    return this.#take(wanted, (name) => this.#scopes.some((s) => s.has(name)), this.#scopes.length - 1);
  }

  /** A name declared at the top of the function, even when asked for in an inner scope. */
  takeForFunction(wanted: string): string {
    return this.#take(wanted, (name) => this.#used.has(name), 0);
  }

  #take(wanted: string, isTaken: (name: string) => boolean, scope: number): string {
    const base = /^(tmc_|TMC_)/.test(wanted) ? `x_${wanted}` : identifier(wanted);
    let name = base;
    for (let i = 2; this.file.has(name) || isTaken(name); i++) name = `${base}_${i}`;
    this.#scopes[scope]?.add(name);
    this.#used.add(name);
    return name;
  }

  /** Gives back a name that was taken in the current scope and not used. */
  release(name: string): void {
    this.#scopes[this.#scopes.length - 1]?.delete(name);
  }

  enter(): void {
    this.#scopes.push(new Set());
  }

  leave(): void {
    this.#scopes.pop();
  }
}
