// Order of strings by bytes; strings in arrays, fields, maps of the library, and conditional expressions.
import { FixedMap } from "tmc";
class Named {
  constructor(
    readonly name: string,
    public alias: string = "",
  ) {}
}
const people: Named[] = [new Named("bob"), new Named("alice", "al"), new Named("bobby", "bob")];
const units: RomArray<string> = ["", "C", "%", "hPa"];
const counts = new FixedMap<string, i32>(4);

function longest(list: Named[]): string {
  let best = "";
  for (const p of list) if (p.name.length > best.length) best = p.name;
  return best;
}

export function main(): void {
  log(longest(people));
  for (const p of people) {
    log(p.name, p.alias.length > 0 ? p.alias : "-", p.name === "bob", p.alias === people[0].name, p.name.startsWith("bob"));
  }
  people[0].alias = people[2].name.slice(0, 0) === "" ? units[3] : units[0];
  log(people[0].alias);
  for (const u of units) {
    const before = counts.get(u);
    counts.set(u, before === null ? 1 : before + 1);
  }
  for (const p of people) if (counts.has(p.alias)) log("known", p.alias);
  const c = counts.get("hPa".slice(0, 3));
  log(c === null ? 0 : c, counts.size);
  let text = "start";
  for (let i = 0; i < 3; i++) text = i === 1 ? "second" : text;
  log(text, text === "second", "second" === text, text !== "start");
}
