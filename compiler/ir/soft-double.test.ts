/** Which variables are noted as f64 by default, for boards that compute them in software. */
import { expect, it } from "vitest";
import { analyse, place } from "../../test/support/analyse.js";
import { softDoubleNotes } from "./soft-double.js";

const notes = (source: string): string[] => {
  const { analysed } = analyse(source);
  return analysed === undefined ? ["errors"] : softDoubleNotes(analysed.reachable, "a board").map(place);
};

it("notes variables of run-phase code that nobody gave a type", () => {
  expect(
    notes(`let level = 0.5;
let half: f32 = 0.5;
let wide: f64 = 0.5;
const untyped = 0.25;
let count = 1;
let unused = 1.5;
function prepare(): i32 { let t = 1.5; t += level; return i32(t); }
const prepared = prepare();
export function main(): void {
  let local = 2.5;
  local += level;
  log(local, half * untyped, wide, count, prepared);
}`),
  ).toEqual(["1:5 TMC4015", "10:7 TMC4015"]);
});

it("says nothing about the library", () => {
  expect(
    notes(
      'import { TextBuffer } from "tmc"; const t = new TextBuffer(9); export function main(): void { t.write("x"); }',
    ),
  ).toEqual([]);
});
