/** Damaged models against the importers: each must give a graph or a coded error, in bounded time and memory. */
import { UserError } from "../../compiler/diagnostics/user-error.js";
import { graphOf, loadModel } from "../../compiler/model/importers/load-model.js";
import type { ModelSource } from "../../compiler/model/importers/model-source.js";
import { lower } from "../../compiler/model/lower.js";
import { seededRandom } from "./mutate.js";
import { seeds } from "./seeds.js";

/** Of CPU time, all threads together: far above what any of the small seeds needs. */
const MAX_MILLISECONDS = 5000;
const MAX_GROWTH_BYTES = 1024 * 1024 * 1024;

export interface CampaignOptions {
  readonly runs: number;
  readonly seed: number;
  readonly first?: number;
  /** Only this format. */
  readonly format?: string;
}

export interface CampaignResult {
  readonly runs: number;
  /** Damage that cannot be written as a file. */
  readonly unwritten: number;
  readonly graphs: number;
  /** By code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly slowest: number;
  /** What is wrong: the number of the run and a sentence each. */
  readonly failures: readonly string[];
}

/** "graph" or the error's code. @throws whatever is not a coded error */
export function outcome(source: ModelSource): string {
  try {
    const model = loadModel(source);
    const graph = graphOf(model);
    if (model.form === "quantised") {
      lower(graph);
    }
    return "graph";
  } catch (error) {
    if (
      error instanceof UserError &&
      /^TMC3\d{3}$/.test(error.code) &&
      error.message !== "" &&
      error.fix !== ""
    ) {
      return error.code;
    }
    throw error;
  }
}

/** Run I of a seed is the same in every campaign. */
export async function runCampaign({
  runs,
  seed,
  first = 0,
  format,
}: CampaignOptions): Promise<CampaignResult> {
  const all = (await seeds()).filter((entry) => format === undefined || entry.format === format);
  const errors: Record<string, number> = {};
  const failures: string[] = [];
  let [unwritten, graphs, slowest] = [0, 0, 0];
  for (const entry of all) {
    const model = entry.make();
    if (model === undefined || outcome(model) !== "graph") {
      throw new Error(`the whole model "${entry.name}" (${entry.format}) is not imported`);
    }
  }
  const before = process.memoryUsage().rss;
  for (let run = first; run < first + runs; run++) {
    const random = seededRandom(seed * 1000003 + run);
    const entry = all[run % all.length];
    const model = entry?.make(random);
    if (entry === undefined || model === undefined) {
      unwritten++;
      continue;
    }
    const start = process.cpuUsage();
    try {
      const result = outcome(model);
      if (result === "graph") {
        graphs++;
      } else {
        errors[result] = (errors[result] ?? 0) + 1;
      }
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failures.push(`run ${run} (${entry.format}, ${entry.name}): ${text}`);
    }
    const { user, system } = process.cpuUsage(start);
    const took = (user + system) / 1000;
    slowest = Math.max(slowest, took);
    if (took > MAX_MILLISECONDS) {
      failures.push(`run ${run} (${entry.format}, ${entry.name}): took ${Math.round(took)} ms of CPU time`);
    }
    if (process.memoryUsage().rss - before > MAX_GROWTH_BYTES) {
      failures.push(
        `run ${run} (${entry.format}, ${entry.name}): memory grew by more than ${MAX_GROWTH_BYTES} bytes`,
      );
      break;
    }
  }
  return { runs, unwritten, graphs, errors, slowest, failures };
}
