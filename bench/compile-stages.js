/**
 * Child of run-compile.ts: the compiled compiler (dist/) in a process of its own, without tsx. Arguments: what to measure,
 * then paths. Prints one JSON object of milliseconds.
 */
const [what, entry, root, count] = process.argv.slice(2);
const { loadTypescript } = await import("../dist/compiler/cli/typescript-cache.js");
const started = performance.now();
loadTypescript();
const { analyseProgram, compileProgram } = await import("../dist/compiler/pipeline/compile.js");
const { FrontendCache } = await import("../dist/compiler/frontend/reuse.js");
const { emitC } = await import("../dist/compiler/backend-c/emit.js");
const loaded = performance.now();

const options = { entry, root, checked: false, kind: "image" };

/** Milliseconds of wall clock and of processor time (all threads). */
function timed(run) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = run();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000, result };
}

function required(result) {
  if (result.diagnostics.some((d) => d.severity === "error"))
    throw new Error(JSON.stringify(result.diagnostics));
  return result;
}

if (what === "stages") {
  // As a first run does it, stage by stage.
  const analysis = timed(() => required(analyseProgram(options)));
  const emission = timed(() => emitC(analysis.result.analysed.reachable, { checked: false, appName: "app" }));
  console.log(
    JSON.stringify({
      node: started,
      load: loaded - started,
      analyse: analysis.ms,
      emit: emission.ms,
    }),
  );
} else if (what === "once") {
  const { ms, cpuMs } = timed(() => required(compileProgram(options)));
  console.log(JSON.stringify({ ms, cpuMs }));
} else {
  // One line of the entry is another one each time.
  const { readFileSync } = await import("node:fs");
  const text = readFileSync(entry, "utf8");
  const cache = new FrontendCache();
  const runs = Array.from({ length: Number(count) + 1 }, (_, i) => {
    const overlay = new Map([[entry, text.replace("jobs: 4", `jobs: ${4 + i}`)]]);
    const { ms, cpuMs } = timed(() => required(compileProgram({ ...options, overlay, cache })));
    return { ms, cpuMs };
  });
  // The first one is a first run.
  console.log(JSON.stringify(runs.slice(1)));
}
