/**
 * How models lie in storage. Records are CBOR:
 *   models/<name>/<version>    what is known of a version; its bytes are a blob
 *   model-names/<name>         the last numbers that were given, and which version is in production
 *   model-totals/bytes         bytes of all models, for the quota
 *   model-deployed/<name>      the version that this node offers
 */
import type { z } from "zod";
import type { modelSummary, stages } from "../../bus/operations/model.js";
import type { DataDescriptor } from "../data/data-descriptor.js";
import type { ModelCost, ModelForm } from "./inspect-model.js";

export const collections = {
  models: "models",
  names: "model-names",
  totals: "model-totals",
  deployed: "model-deployed",
} as const;

export type Stage = (typeof stages)[number];
export type ModelSummary = z.infer<typeof modelSummary>;
/** Numbers by name. */
export type Metrics = Readonly<Record<string, number>>;

/** What is known of a model besides its bytes, by who keeps it. */
export interface ModelDetails {
  readonly task?: string | undefined;
  /** Of the classes, in the order of the outputs. */
  readonly labels?: readonly string[] | undefined;
  /** "name@version" it was made of. */
  readonly parent?: string | undefined;
  /** Data set it was trained on. */
  readonly data?: string | undefined;
  /** Hz of the input. */
  readonly rate?: number | undefined;
  /** Of the input. */
  readonly unit?: string | undefined;
  /** Id of the job that made it. */
  readonly job?: string | undefined;
  /** By "data set:usage". */
  readonly metrics?: Readonly<Record<string, Metrics>> | undefined;
}

export interface ModelRecord extends ModelDetails {
  readonly name: string;
  readonly version: string;
  /** Grows with every version of the name: the newest is the one with the highest. */
  readonly number: number;
  readonly digest: string;
  readonly bytes: number;
  readonly form: ModelForm;
  readonly stage: Stage;
  readonly inputs: readonly DataDescriptor[];
  readonly outputs: readonly DataDescriptor[];
  readonly cost?: ModelCost;
  /** The last model.validate. */
  readonly validated?: { readonly passed: boolean; readonly at: number; readonly data: string };
  /** ms since 1970. */
  readonly createdAt: number;
}

export interface NameRecord {
  /** How many versions were stored: the order of the newest one. */
  readonly last: number;
  /** The highest number that a version began with, also one that is deleted. Absent in records of before: `last`. */
  readonly highest?: number;
  readonly production?: string;
  /** Changes with every write of the name or of a version. */
  readonly revision?: number;
}

/** The number that a version begins with: 2 of "2", "2-int8" and "2.0.1"; 0 of "v2", and of more than nine digits. */
export function numberOf(version: string): number {
  return Number(/^\d{1,9}(?!\d)/.exec(version)?.[0] ?? 0);
}

export function qualifiedName({ name, version }: Pick<ModelRecord, "name" | "version">): string {
  return `${name}@${version}`;
}

/** "a@1" → ["a", "1"]; the version is undefined when there is none. */
export function splitQualified(qualified: string): readonly [string, string | undefined] {
  const at = qualified.indexOf("@");
  return at < 0 ? [qualified, undefined] : [qualified.slice(0, at), qualified.slice(at + 1)];
}
