/** model.validate: gates on metrics and cost, and a comparison with another model on the same items. */
import { modelValidate } from "../../bus/operations/model.js";
import { qualifiedName, type Metrics, type ModelRecord } from "../models/model-records.js";
import { jobOperation } from "./job-operation.js";
import { checkSubjects, jobArguments, measureModel, samplesFor, usageOf } from "./model-jobs.js";
import type { ModelContext } from "./model-operations.js";
import type { LocalOperation } from "./operation.js";

export interface Gate {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Numbers as people read them: four digits behind the point at most. */
function shown(value: number): string {
  return String(Number(value.toFixed(4)));
}

/**
 * Every gate that does not hold: "accuracy 0.81 < 0.9". With `against`, also where the model is worse than that one: below
 * it where the gate has a minimum, above it where it has a maximum only. A value that is not known fails its gate.
 */
export function failuresOf(
  gates: Readonly<Record<string, Gate>>,
  values: Metrics,
  against?: { readonly name: string; readonly values: Metrics },
): string[] {
  return Object.entries(gates).flatMap(([name, { min, max }]) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined || Number.isNaN(value)) return [`${name} is not known of this model`];
    const failures: string[] = [];
    if (min !== undefined && value < min) failures.push(`${name} ${shown(value)} < ${shown(min)}`);
    if (max !== undefined && value > max) failures.push(`${name} ${shown(value)} > ${shown(max)}`);
    const other = against?.values[name];
    if (against !== undefined && other !== undefined) {
      const higherIsBetter = min !== undefined || max === undefined;
      if (higherIsBetter ? value < other : value > other) {
        const sign = higherIsBetter ? "<" : ">";
        failures.push(`${name} ${shown(value)} ${sign} ${shown(other)} of ${against.name}`);
      }
    }
    return failures;
  });
}

export function validateOperation(context: ModelContext): LocalOperation {
  const { models, dataSets, jobs } = context;
  jobs.register({
    operation: modelValidate.name,
    resume: "again",
    run: async (input, job) => {
      const { model, data, usage, gates, against } = jobArguments(modelValidate, input);
      const record = await models.get(model);
      const set = await dataSets.get(data, "arguments.data");
      const measuredOn = usageOf(set, usage, ["validation", "test"]);
      const valuesOf = async (one: ModelRecord, share: number, offset: number) => {
        const read = await samplesFor(context, one, set, measuredOn, true);
        const { metrics } = await measureModel(context, one, read, {
          signal: job.signal,
          progress: (fraction, text) => job.progress(offset + share * fraction, text),
        });
        return metrics;
      };
      const other = against === undefined ? undefined : await models.get(against, "arguments.against");
      const share = other === undefined ? 1 : 0.5;
      const metrics = await valuesOf(record, share, 0);
      const compared =
        other === undefined
          ? undefined
          : {
              name: qualifiedName(other),
              values: { ...(await valuesOf(other, share, share)), ...other.cost },
            };
      const failures = failuresOf(gates, { ...metrics, ...record.cost }, compared);
      const passed = failures.length === 0;
      await models.measured(qualifiedName(record), `${data}:${measuredOn}`, metrics, passed);
      return { passed, failures, metrics };
    },
  });
  return jobOperation(modelValidate, jobs, ({ model, data }) => `${String(model)} ${String(data)}`, {
    check: (call) => checkSubjects(context, call),
  });
}
