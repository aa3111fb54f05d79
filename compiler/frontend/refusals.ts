/**
 * What JavaScript has and the subset has not, by syntax and by name, each with its code and its fix. Constructs that
 * are refused only in some places are refused where they are lowered.
 */
import { ts } from "ts-morph";

export interface Refusal {
  readonly code: string;
  /** What a user calls it, followed by "is not part of the subset" (or the text of `says`). */
  readonly what: string;
  readonly fix: string;
  readonly says?: string;
}

const K = ts.SyntaxKind;
const notYet = "is not supported yet";

const syntax = new Map<ts.SyntaxKind, Refusal>([
  [
    K.RegularExpressionLiteral,
    {
      code: "TMC1012",
      what: "a regular expression",
      fix: "use `indexOf`, `startsWith`, or a loop over `charCodeAt`",
    },
  ],
  [
    K.DeleteExpression,
    {
      code: "TMC1010",
      what: "`delete`",
      says: "would change the layout of an object",
      fix: "assign null to a field of type `T | null`",
    },
  ],
  [
    K.YieldExpression,
    { code: "TMC1004", what: "`yield`", fix: "write a loop, or a class with `length` and `get(i)`" },
  ],
  [
    K.TypeOfExpression,
    {
      code: "TMC1013",
      what: "`typeof`",
      says: "asks at run time what is known when compiling",
      fix: "remove the test; for classes use `instanceof`",
    },
  ],
  [K.VoidExpression, { code: "TMC1001", what: "`void`", fix: "write the expression as a statement" }],
  [
    K.SpreadElement,
    {
      code: "TMC1003",
      what: "spread",
      says: notYet,
      fix: "copy the elements in a loop, or use `concat` in setup",
    },
  ],
  [
    K.ClassExpression,
    { code: "TMC1001", what: "a class expression", fix: "declare the class at the top level" },
  ],
  [
    K.TaggedTemplateExpression,
    { code: "TMC1001", what: "a tagged template", fix: "call a function, or write into a TextBuffer" },
  ],
  [K.MetaProperty, { code: "TMC1001", what: "`import.meta` or `new.target`", fix: "use a module constant" }],
  [K.ImportKeyword, { code: "TMC1001", what: "`import(…)`", fix: "import at the top of the module" }],
  [
    K.SuperKeyword,
    { code: "TMC1001", what: "`super` as a value", fix: "call a method of it: `super.method(…)`" },
  ],
  [
    K.TypeAssertionExpression,
    { code: "TMC1001", what: "`<T>x`", fix: "convert the value with a call: `i32(x)`" },
  ],
  [
    K.WithStatement,
    {
      code: "TMC1011",
      what: "`with`",
      says: "hides which variable a name means",
      fix: "write `object.field`",
    },
  ],
  [
    K.ForInStatement,
    {
      code: "TMC1014",
      what: "`for … in`",
      says: "visits names of fields, which a device does not keep",
      fix: "write `for (const x of array)`, or name the fields",
    },
  ],
  [K.DebuggerStatement, { code: "TMC1002", what: "`debugger`", fix: "set a breakpoint" }],
  [K.ModuleDeclaration, { code: "TMC1002", what: "a namespace", fix: "write a module of its own" }],
  [
    K.ImportEqualsDeclaration,
    { code: "TMC1002", what: "`import x = …`", fix: 'write `import { x } from "./module.js"`' },
  ],
]);

export const refusedSyntax = (kind: ts.SyntaxKind): Refusal | undefined => syntax.get(kind);

const operators = new Map<ts.SyntaxKind, Refusal>([
  [
    K.AsteriskAsteriskToken,
    {
      code: "TMC1001",
      what: "`**` of other values than whole constants",
      fix: "multiply: `x * x`; `pow` of the standard library takes f32, `Math.pow` is for setup",
    },
  ],
  [
    K.InKeyword,
    {
      code: "TMC1014",
      what: "`in`",
      says: "asks for a field by its name, which a device does not keep",
      fix: "compare the field with null, or use `FixedMap.has`",
    },
  ],
]);
for (const token of [K.QuestionQuestionEqualsToken, K.AmpersandAmpersandEqualsToken, K.BarBarEqualsToken]) {
  operators.set(token, {
    code: "TMC1117",
    what: `\`${ts.tokenToString(token) ?? ""}\``,
    says: "has no value here",
    fix: "write it as a statement of its own",
  });
}
operators.set(K.AsteriskAsteriskEqualsToken, {
  code: "TMC1001",
  what: "`**=`",
  fix: "multiply: `x = x * x`",
});

export const refusedOperator = (token: ts.SyntaxKind): Refusal | undefined => operators.get(token);

const noClock: Omit<Refusal, "what"> = {
  code: "TMC1017",
  says: "reads a clock that firmware does not have",
  fix: 'import `clockMs` from "tmc"',
};
const noPrototype: Omit<Refusal, "what"> = {
  code: "TMC1015",
  says: "belongs to prototypes: objects have the members of their class, always",
  fix: "write a class with the members",
};
const noTimer: Omit<Refusal, "what"> = {
  code: "TMC1018",
  says: "is not there on a device",
  fix: 'register a handler in setup: `onTick((now) => …)` from "tmc"',
};
const absent = (fix: string): Omit<Refusal, "what"> => ({
  code: "TMC1018",
  says: "is not there on a device",
  fix,
});

const globals: Readonly<Record<string, Omit<Refusal, "what">>> = {
  eval: {
    code: "TMC1009",
    says: "would need a compiler on the device",
    fix: "write the code, or choose between functions",
  },
  Function: {
    code: "TMC1009",
    says: "would need a compiler on the device",
    fix: "write the code, or choose between functions",
  },
  arguments: {
    code: "TMC1016",
    says: "is an array whose length is known only at run time",
    fix: "name the parameters, or pass an array",
  },
  Date: noClock,
  performance: noClock,
  Object: noPrototype,
  Reflect: noPrototype,
  Proxy: noPrototype,
  Symbol: noPrototype,
  String: absent("write it into a TextBuffer: `` out.write(`${x}`) ``"),
  Array: absent("write an array literal, or `filled(n, value)` in setup"),
  setTimeout: noTimer,
  setInterval: noTimer,
  setImmediate: noTimer,
  queueMicrotask: noTimer,
  clearTimeout: noTimer,
  clearInterval: noTimer,
  console: absent("write `log(…)`"),
  Promise: {
    code: "TMC1703",
    says: "is only a type here, and `Promise.all`",
    fix: "write an async function, and `await` its call",
  },
  RegExp: absent("use `indexOf`, `startsWith`, or a loop over `charCodeAt`"),
  Number: absent("convert with `f64(x)` or `i32(x)`; parse text in a loop over `charCodeAt`"),
  Boolean: absent("compare: `x !== 0`"),
  BigInt: absent("convert with `i64(x)` or `u64(x)`"),
  parseInt: absent("parse in a loop over `charCodeAt`"),
  parseFloat: absent("parse in a loop over `charCodeAt`"),
  isNaN: absent("write `x !== x`"),
  isFinite: absent("write `x - x === 0`"),
  require: absent('write `import { x } from "./module.js"`'),
  process: absent("do it outside of the firmware"),
  Buffer: absent("use `Uint8Array`"),
  ArrayBuffer: absent("use `Uint8Array` and shifts, `f32Bits` or `f64Bits`"),
  DataView: absent("use `Uint8Array` and shifts, `f32Bits` or `f64Bits`"),
  WeakMap: absent("keep the value in a field of the object"),
  WeakSet: absent("keep a flag in a field of the object"),
  globalThis: absent("use a module constant"),
  window: absent("use a module constant"),
  TypeError: absent('write `throw new Error("…")`'),
  RangeError: absent('write `throw new Error("…")`'),
};

/** A name of JavaScript's library that the subset has not, when nothing in the program declares it. */
export function refusedGlobal(name: string): Refusal | undefined {
  const found = Object.hasOwn(globals, name) ? globals[name] : undefined;
  return found === undefined ? undefined : { ...found, what: `\`${name}\`` };
}

const members: Readonly<Record<string, Omit<Refusal, "what">>> = {
  prototype: noPrototype,
  __proto__: noPrototype,
  constructor: noPrototype,
  hasOwnProperty: noPrototype,
  call: absent("call the function directly"),
  apply: absent("call the function directly"),
  bind: absent("write an arrow function: `(x) => f(x)`"),
  random: absent('import `randomU32` from "tmc" (not in setup: setup is deterministic)'),
  hypot: absent("write `Math.sqrt(x * x + y * y)`"),
  cbrt: absent("use `Math.pow(x, 1 / 3)` in setup"),
  charAt: absent("write `s.slice(i, i + 1)`, or compare `s.charCodeAt(i)`"),
  at: absent("write `a[a.length - 1]`, or `s.charCodeAt(i)`"),
  codePointAt: absent("write `charCodeAt`: strings are bytes"),
  substring: absent("write `slice`"),
  substr: absent("write `slice`"),
  replace: absent("use `replaceAll` in setup, or write into a TextBuffer"),
  match: absent("use `indexOf`, `startsWith`, or a loop over `charCodeAt`"),
  toString: absent("write it into a TextBuffer: `` out.write(`${x}`) ``"),
  find: absent("write a loop"),
  findIndex: absent("write a loop"),
  shift: absent("use a `Ring` of the standard library"),
  unshift: absent("use a `Ring` of the standard library"),
  splice: absent("use a `List` of the standard library"),
  flat: absent("use `concat` in setup"),
  flatMap: absent("use `map` and `concat` in setup"),
  keys: absent("count with a loop"),
  values: absent("iterate directly: `for (const x of array)`"),
  entries: absent("`for (const [i, value] of array.entries())`, or count with a loop"),
  lastIndexOf: absent("write a loop"),
  copyWithin: absent("write `a.set(a.subarray(from, to), at)`"),
  parse: absent("write the value as TypeScript, or parse the text in setup"),
};

/** A member of JavaScript's library that the subset has not. */
export function refusedMember(name: string): Refusal | undefined {
  const found = Object.hasOwn(members, name) ? members[name] : undefined;
  return found === undefined ? undefined : { ...found, what: `\`${name}\`` };
}

export const refusalText = (r: Refusal): string => `${r.what} ${r.says ?? "is not part of the subset"}`;
