/** The shapes of the HTTP API, from the schemas that make it. */
import type { z } from "zod";
import type { dataSetSummary } from "../../bus/operations/data.js";
import type { functionSummary } from "../../bus/operations/function.js";
import type { modelSummary } from "../../bus/operations/model.js";
import type { nodeSummary } from "../../bus/operations/node.js";
import type { jobSummary, stepSummary } from "../../bus/operations/task.js";
import type * as schemas from "../management/schemas.js";

export type Status = z.infer<typeof schemas.statusSchema>;
export type Node = z.infer<typeof nodeSummary>;
export type NodeDetails = z.infer<typeof schemas.nodeDetails>;
export type Capability = z.infer<typeof schemas.capability>;
export type DataSet = z.infer<typeof dataSetSummary>;
export type DataItems = z.infer<typeof schemas.dataItems>;
export type Model = z.infer<typeof modelSummary>;
export type Fn = z.infer<typeof functionSummary>;
export type Job = z.infer<typeof jobSummary>;
export type Step = z.infer<typeof stepSummary>;
export type Schedule = z.infer<typeof schemas.scheduleSummary>;
export type Trace = z.infer<typeof schemas.requestTrace>;
export type Traffic = z.infer<typeof schemas.traffic>;
export type OperationTraffic = z.infer<typeof schemas.operationTraffic>;
export type LogLine = z.infer<typeof schemas.logLine>;
export type Explanation = z.infer<typeof schemas.explanation>;

/** What a call answers with. */
export interface CallAnswer {
  readonly node: string;
  readonly result: Readonly<Record<string, unknown>>;
  readonly output?: { readonly base64: string } | { readonly reference: string };
  readonly outputDescriptor?: {
    readonly elementType?: string;
    readonly shape?: number[];
    readonly rate?: number;
  };
  readonly queueUs?: number;
  readonly executionUs?: number;
  readonly totalMs: number;
}
