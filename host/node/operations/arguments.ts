/** Arguments of a call as its definition types them. */
import type { Fields, OperationDefinition, ValueOf } from "../../bus/operations/definition.js";
import type { OperationCall } from "./operation.js";

/** The Core Service has checked them against `definition`; this only gives them their type. */
export function argumentsOf<A extends Fields, R extends Fields>(
  _definition: OperationDefinition<A, R>,
  call: OperationCall,
): ValueOf<A> {
  return call.arguments as ValueOf<A>;
}

/** The result as `definition` types it. */
export function resultFor<A extends Fields, R extends Fields>(
  _definition: OperationDefinition<A, R>,
  result: ValueOf<R>,
): ValueOf<R> & Readonly<Record<string, unknown>> {
  return result as ValueOf<R> & Readonly<Record<string, unknown>>;
}
