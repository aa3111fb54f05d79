/** For tests: small WebAssembly modules put together by hand, to be refused or to misbehave. */

export interface ModuleParts {
  /** Functions of type (i32, i32, i32, i32) -> (), by module and name. */
  readonly imports?: readonly (readonly [module: string, name: string])[];
  /** Pages, minimum and maximum; undefined maximum: none. Default [1, 1]. */
  readonly memory?: readonly [min: number, max: number | undefined];
  /** Elements. */
  readonly table?: readonly [min: number, max: number | undefined];
  /** Instructions of tmc_run(i32) -> i32, without the final `end`. Local 0 is the number of bytes, local 1 is free. */
  readonly body?: readonly number[];
  /** Default: all of ABI 1. */
  readonly exports?: readonly string[];
  /** Run `body` without result when instantiated. */
  readonly start?: boolean;
}

export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  call: 0x10,
  drop: 0x1a,
  get: 0x20,
  set: 0x21,
  load8: 0x2d,
  store8: 0x3a,
  grow: 0x40,
  i32: 0x41,
  eqz: 0x45,
  add: 0x6a,
  sub: 0x6b,
  divS: 0x6d,
} as const;
const void_ = 0x40;

/** while (true) {} */
export const forever: readonly number[] = [op.loop, void_, op.br, 0, op.end, op.i32, 0];
/** Gives back as many bytes as came: the output is at the place of the input. */
export const echo: readonly number[] = [op.get, 0];

export function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
    if (rest === 0) return bytes;
  }
}

/** i32.const of any value. */
export function constant(value: number): number[] {
  const bytes: number[] = [op.i32];
  for (let rest = value | 0; ;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

const text = (name: string): number[] => [...leb(name.length), ...Buffer.from(name)];
const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const content = [...leb(items.length), ...items.flat()];
  return items.length === 0 ? [] : [id, ...leb(content.length), ...content];
};
const limits = ([min, max]: readonly [number, number | undefined]): number[] =>
  max === undefined ? [0, ...leb(min)] : [1, ...leb(min), ...leb(max)];

/** Input and output are at address 1024. */
export function wasmModule(parts: ModuleParts = {}): Uint8Array {
  const imports = parts.imports ?? [["tmc", "trap"]];
  const run = imports.length;
  const i32 = 0x7f;
  const all = new Map<string, number[]>([
    ["memory", [2, 0]],
    ["tmc_run", [0, ...leb(run)]],
    ["tmc_input", [3, 0]],
    ["tmc_output", [3, 0]],
    ["__data_end", [3, 1]],
  ]);
  const exported = parts.exports ?? [...all.keys()];
  const body = [1, 1, i32, ...(parts.body ?? echo), op.end];
  const startBody = [1, 1, i32, ...(parts.start === true ? [...(parts.body ?? echo), op.drop] : []), op.end];
  const global = (value: number): number[] => [i32, 0, ...constant(value), op.end];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [
      [0x60, 4, i32, i32, i32, i32, 0],
      [0x60, 1, i32, 1, i32],
      [0x60, 0, 0],
    ]),
    ...section(
      2,
      imports.map(([module, name]) => [...text(module), ...text(name), 0, 0]),
    ),
    ...section(3, [[1], [2]]),
    ...section(4, parts.table === undefined ? [] : [[0x70, ...limits(parts.table)]]),
    ...section(5, [limits(parts.memory ?? [1, 1])]),
    ...section(6, [global(1024), global(2048)]),
    ...section(
      7,
      exported.map((name) => [...text(name), ...(all.get(name) ?? [])]),
    ),
    ...(parts.start === true ? [8, 1, ...leb(run + 1)] : []),
    ...section(10, [
      [...leb(body.length), ...body],
      [...leb(startBody.length), ...startBody],
    ]),
  ]);
}
