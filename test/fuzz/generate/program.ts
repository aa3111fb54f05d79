/** A whole program, as a fast-check arbitrary: random declarations of every sort, then a `main` that uses them. */
import fc from "fast-check";
import { declareHierarchy } from "./classes.js";
import {
  declareArray,
  declareContainer,
  declareFlag,
  declareLookup,
  declareNested,
  declareString,
  declareTable,
  declareTypedArray,
  declareVariable,
} from "./data.js";
import {
  declareClosures,
  declareFunction,
  declareGenerics,
  declareProcedure,
  declareRest,
  localClosure,
} from "./functions.js";
import { Generator } from "./generator.js";
import { statements } from "./statements.js";
import { declareTextBuffer, registerText } from "./text.js";
import { list, smaller, statement, textOf, tree, type Tree } from "./tree.js";
import { declareWide } from "./wide.js";
import { declareChoice, declareRecord, declareUnion } from "./unions.js";

/** Parts of a typical program; each is several statements or lines of output. */
const sizes = { smallest: 15, largest: 130 } as const;

function program(g: Generator): Tree {
  registerText(g);
  for (let i = g.int(1, 3); i > 0; i--) declareVariable(g);
  declareFlag(g);
  const data = [
    declareTypedArray,
    declareArray,
    declareTable,
    declareNested,
    declareString,
    declareContainer,
  ];
  for (let i = g.int(1, 3); i > 0; i--) g.pick([...data, declareTextBuffer, declareLookup, declareWide])(g);
  g.statementOf(() => localClosure(g), { indirect: true });
  const parts = [
    declareChoice,
    declareUnion,
    declareRecord,
    declareHierarchy,
    declareGenerics,
    declareClosures,
  ];
  const chosen = [g.pick(parts), declareFunction];
  if (g.chance(50)) chosen.push(g.pick(parts));
  if (g.chance(50)) chosen.push(g.pick([declareFunction, declareProcedure, declareRest]));
  while (chosen.length > 0) chosen.splice(g.int(0, chosen.length - 1), 1)[0]?.(g);
  const { result } = g.inFunction(false, () => {
    g.inMain = true;
    return body(g);
  });
  g.declare(tree("declaration")`export function main(): void {\n${result}}`);
  return g.module();
}

/** Steps that mostly survive a trap of their own; then whatever prints. */
function body(g: Generator): Tree {
  const out: Tree[] = [];
  const first = statements(g, 0, 2);
  out.push(...first.parts.filter((p) => typeof p !== "string"));
  for (let i = g.int(2, 4); i > 0; i--) {
    const steps = g.scoped(() => statements(g, 2, g.int(1, 3)));
    out.push(
      g.chance(75)
        ? statement`try {\n${steps}} catch (e) { log("step", e.kind, e.message, e.site); }`
        : statement`{\n${steps}}`,
    );
  }
  const last = g.statements().filter((o) => o.name === undefined);
  for (let i = 0; i < 3 && last.length > 0; i++) out.push(g.take(last, 1));
  return list(out);
}

class ProgramArbitrary extends fc.Arbitrary<Tree> {
  override generate(mrng: fc.Random): fc.Value<Tree> {
    const size = mrng.nextInt(sizes.smallest, sizes.largest);
    return new fc.Value(program(new Generator(mrng, size)), 0);
  }

  override canShrinkWithoutContext(value: unknown): value is Tree {
    return typeof value === "object" && value !== null && "sort" in value && "parts" in value;
  }

  /** `context`: the number of candidates that came before: what they removed is not tried again at once. */
  override shrink(value: Tree, context: unknown): fc.Stream<fc.Value<Tree>> {
    const first = typeof context === "number" ? context : 0;
    return new fc.Stream(inTurn(value, first));
  }
}

function* inTurn(value: Tree, first: number): globalThis.Generator<fc.Value<Tree>> {
  let i = 0;
  for (const t of smaller(value)) if (i++ >= first) yield new fc.Value(t, i - 1);
  let before = 0;
  for (const t of smaller(value)) {
    if (before >= first) return;
    yield new fc.Value(t, before++);
  }
}

export const anyProgram: fc.Arbitrary<Tree> = new ProgramArbitrary();

/** The seed of program `index` of a campaign: the same whatever else the campaign runs. */
export function seedOf(campaign: number, index: number): number {
  let h = Math.imul(campaign ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) | 0;
}

/** Program `index` of campaign `seed`, always the same. */
export function programOf(seed: number, index: number): Tree {
  const [t] = fc.sample(anyProgram, { seed: seedOf(seed, index), numRuns: 1 });
  if (t === undefined) throw new Error("no program");
  return t;
}

export const programText = (t: Tree): string => textOf(t);
