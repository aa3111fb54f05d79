/**
 * Workflows written in TypeScript (`import { defineWorkflow } from "tmc/workflow"`): the editor then knows the operations,
 * their arguments and what they take. What is checked is the same as of a YAML file.
 */
import type { z } from "zod";
import type { dataOperations } from "../../../bus/operations/data.js";
import type { FieldDefinition } from "../../../bus/operations/definition.js";
import type { functionOperations } from "../../../bus/operations/function.js";
import type { modelOperations } from "../../../bus/operations/model.js";
import type { nodeOperations } from "../../../bus/operations/node.js";
import type { workflowSchema } from "./description.js";

type Definitions = (
  typeof dataOperations | typeof modelOperations | typeof functionOperations | typeof nodeOperations
)[number];

/** A reference, alone or in a text: "${steps.train.result.model}". */
export type ReferenceText = `${string}\${${string}}${string}`;

/** The value, or references at any place of it. */
export type WithReferences<T> =
  | T
  | ReferenceText
  | (T extends readonly (infer Item)[]
      ? readonly WithReferences<Item>[]
      : T extends object
        ? { readonly [K in keyof T]: WithReferences<T[K]> }
        : never);

type ValueOfField<F> = F extends FieldDefinition<infer Schema> ? z.infer<Schema> : never;
type Optional<A, K extends keyof A> = undefined extends ValueOfField<A[K]> ? K : never;
type ArgumentNames<A> = Exclude<keyof A, "detach">;

/** A workflow waits for its jobs by itself: without `detach`. */
type ArgumentsOf<A> = {
  readonly [K in ArgumentNames<A> as K extends Optional<A, K> ? never : K]: WithReferences<
    ValueOfField<A[K]>
  >;
} & {
  readonly [K in ArgumentNames<A> as Optional<A, K>]?: WithReferences<Exclude<ValueOfField<A[K]>, undefined>>;
};

type Description = z.input<typeof workflowSchema>;
type AnyStep = Description["steps"][number];

type StepOf<D extends Definitions> = D extends { readonly name: infer N extends string }
  ? Omit<AnyStep, "operation" | "arguments"> & {
      readonly operation: N;
      readonly arguments?: ArgumentsOf<D["arguments"]>;
    }
  : never;

export type WorkflowStepDescription = StepOf<Definitions>;

export type WorkflowDescription = Omit<Description, "steps"> & {
  readonly steps: readonly WorkflowStepDescription[];
};

/** The description as it is. `tmc workflow check FILE` checks it: `export const workflow = defineWorkflow({ … })`. */
export function defineWorkflow<const W extends WorkflowDescription>(workflow: W): W {
  return workflow;
}
