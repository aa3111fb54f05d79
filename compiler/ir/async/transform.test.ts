/** Async functions as frames: what a frame keeps, and that a run which takes modules over transforms them the same. */
import path from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../board/package-root.js";
import { runFrontend } from "../../frontend/frontend.js";
import { FrontendCache } from "../../frontend/reuse.js";
import { printProgram } from "../print.js";

const root = path.join(packageRoot(), "compiler");
const entry = path.join(root, "async-test.ts");
const source = `import { sleep, task } from "tmc";
async function sum(n: i32): Promise<i32> {
  let total: i32 = 0;
  for (let i = 0; i < n; i++) {
    const twice = i * 2;
    total += twice;
    const f = (): i32 => total;
    log(f());
    await sleep(1);
  }
  return total;
}
const steps: ((n: i32) => Promise<i32>)[] = [sum, (n: i32): Promise<i32> => sum(n + 1)];
function count(): void {
  let turns: i32 = 0;
  task(async () => {
    for (const step of steps) turns += await step(3);
    const more = async (): Promise<void> => {
      turns += await sum(1);
    };
    await more();
    log(turns);
  });
}
count();
`;
const run = (cache?: FrontendCache) => runFrontend(entry, root, new Map([[entry, source]]), cache);

describe("frames", () => {
  it("keep what outlives a wait, the frames waited for, arguments and result, and nothing else", () => {
    const { program, diagnostics } = run();
    expect(diagnostics).toEqual([]);
    const frame = program.classes.get("async-test.ts#sum$frame");
    expect(frame?.fields.map((f) => f.name).sort()).toEqual(["i", "n", "result", "sleep", "total"]);
    expect(frame?.methods.map((m) => m.name)).toEqual(["poll", "value"]);
  });
  it("are the same in a run that takes over modules that did not change", () => {
    const cache = new FrontendCache();
    const first = printProgram(run(cache).program);
    expect(first).toContain("sum$frame");
    expect(printProgram(run(cache).program)).toBe(first);
  });
});
