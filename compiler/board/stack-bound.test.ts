/** The call graph from a disassembly, and bounds over small graphs. Whole images are stack-proof.test.ts's. */
import { describe, expect, it } from "vitest";
import { addDisassembly, type CallGraph, type CallNode } from "./call-graph.js";
import { platformCalls } from "./platform-calls.js";
import { framesAbove, stackBound } from "./stack-bound.js";

function disassembled(text: string): CallGraph {
  const graph: CallGraph = new Map();
  addDisassembly(graph, text, new Map());
  return graph;
}

const node = (name: string, frame: number, calls: string[], more: Partial<CallNode> = {}): CallNode => ({
  ...{ name, frame, bounded: true, calls: new Set(calls), callsIndirectly: false, from: "disassembly" },
  ...more,
});

const graphOf = (...nodes: CallNode[]): CallGraph => new Map(nodes.map((n) => [n.name, n]));

describe("a disassembly", () => {
  it("counts pushes, vector registers and reserved bytes", () => {
    const graph = disassembled(
      [
        "00000100 <f>:",
        "     100:\tpush\t{r4, r5, r6, lr}",
        "     102:\tvpush\t{d8-d9}",
        "     106:\tsub\tsp, #24",
        "     108:\tstr.w\tr4, [sp, #-4]!",
        "     10c:\tbl\t200 <g>",
        "     110:\tpop\t{r4, r5, r6, pc}",
        "",
      ].join("\n"),
    );
    expect(graph.get("f")).toMatchObject({ frame: 16 + 16 + 24 + 4, bounded: true, callsIndirectly: false });
    expect([...(graph.get("f")?.calls ?? [])]).toEqual(["g"]);
  });

  it("takes padding after a return for no code, and code that runs on for a call", () => {
    const graph = disassembled(
      [
        "00000100 <ends>:",
        "     100:\tbx\tlr",
        "     102:\tmovs\tr0, r0",
        "",
        "00000104 <runs_on>:",
        "     104:\tadds\tr0, #1",
        "",
        "00000106 <next>:",
        "     106:\tbx\tlr",
        "",
      ].join("\n"),
    );
    expect([...(graph.get("ends")?.calls ?? [])]).toEqual([]);
    expect([...(graph.get("runs_on")?.calls ?? [])]).toEqual(["next"]);
  });

  it("takes a jump to a register for an indirect call, a return not", () => {
    const code = (last: string): string => `00000100 <f>:\n     100:\tbx\t${last}\n`;
    expect(disassembled(code("r3")).get("f")?.callsIndirectly).toBe(true);
    expect(disassembled(code("lr")).get("f")?.callsIndirectly).toBe(false);
  });

  it("names a function by its symbol, whatever else has its address, and sees that it calls itself", () => {
    const graph: CallGraph = new Map();
    const text = [
      "00000100 <CONFIG_NUMBER>:",
      "     100:\tpush\t{r4, lr}",
      "     102:\tbl\t100 <CONFIG_NUMBER>",
      "     106:\tb.n\t102 <CONFIG_NUMBER+0x2>",
      "",
      "00000108 <loops>:",
      "     108:\tbl\t100 <CONFIG_NUMBER>",
      "     10c:\tb.n\t108 <loops>",
      "",
    ].join("\n");
    addDisassembly(
      graph,
      text,
      new Map([
        [0x100, ["again", "also_again"]],
        [0x108, ["loops"]],
      ]),
    );
    expect([...graph.keys()]).toEqual(["again", "also_again", "loops"]);
    expect([...(graph.get("loops")?.calls ?? [])]).toEqual(["again"]);
    expect(stackBound(graph, "loops", {})).toMatchObject({ bytes: 8, gaps: ["again: calls itself"] });
  });

  it("tells static functions of one name apart", () => {
    const graph = disassembled(
      [
        "00000100 <elapsed>:",
        "     100:\tsub\tsp, #8",
        "     102:\tbx\tlr",
        "",
        "00000104 <clock>:",
        "     104:\tsub\tsp, #16",
        "     106:\tb.n\t100 <elapsed>",
        "",
        "00000108 <elapsed>:",
        "     108:\tsub\tsp, #32",
        "     10a:\tb.n\t104 <clock>",
        "",
      ].join("\n"),
    );
    expect(stackBound(graph, "elapsed@108", {})).toMatchObject({ bytes: 32 + 16 + 8, gaps: [] });
  });
});

describe("a bound", () => {
  it("says which function is not measured, but not of one that the image does not have", () => {
    const graph = graphOf(node("main", 8, ["gone", "foreign"]));
    expect(stackBound(graph, "main", {}).gaps).toEqual(["foreign: not measured", "gone: not measured"]);
    expect(stackBound(graph, "main", {}, (name) => name !== "gone").gaps).toEqual(["foreign: not measured"]);
  });

  it("names a library that it does not count, once, and goes no further", () => {
    const graph = graphOf(
      node("main", 8, ["send", "lib_a", "lib_b"]),
      node("send", 16, []),
      node("lib_a", 900, ["lib_a"]),
    );
    const uncounted = (name: string): string | undefined => (name.startsWith("lib_") ? "Lib" : undefined);
    expect(stackBound(graph, "main", {}, undefined, uncounted)).toMatchObject({
      bytes: 24,
      gaps: ["Lib: not counted"],
    });
  });

  it("reports recursion in foreign code and frames of unknown size", () => {
    const graph = graphOf(
      node("main", 8, ["ping", "alloca"]),
      node("ping", 16, ["pong"]),
      node("pong", 16, ["ping"]),
      node("alloca", 4, [], { bounded: false }),
    );
    expect(stackBound(graph, "main", {})).toMatchObject({
      bytes: 40,
      gaps: ["alloca: frame size decided at run time", "ping: calls itself"],
    });
  });

  it("resolves the indirect calls of the platform where the image has a target", () => {
    const client = node("event_notify", 16, [], { callsIndirectly: true });
    const with_ = graphOf(client, node("on_event", 40, []));
    expect(stackBound(with_, "event_notify", platformCalls(with_))).toMatchObject({ bytes: 56, gaps: [] });
    const without = graphOf(client);
    expect(stackBound(without, "event_notify", platformCalls(without)).gaps).toEqual([
      "event_notify: indirect call, targets unknown",
    ]);
  });

  it("adds the deepest way to an entry", () => {
    const graph = graphOf(
      node("thread", 8, ["main"]),
      node("main", 24, ["tick", "round", "main"]),
      node("round", 40, ["tick"]),
      node("tick", 100, []),
    );
    expect(framesAbove(graph, "thread", "tick").map((s) => s.name)).toEqual(["thread", "main", "round"]);
    expect(framesAbove(graph, "tick", "thread")).toEqual([]);
  });
});
