/**
 * The other half of the codec: requests as servers read them, answers as they make them, results by the names of the
 * operation's definition. What breaks docs/protocol.cddl is a ProtocolError with the field that is wrong.
 */
import { z } from "zod";
import { fromMap, textMapsToObjects, toMap, UnsafeKeyError } from "./keyed-maps.js";
import type { OperationDefinition } from "./operations/definition.js";
import { keysOf } from "./operations/definition.js";
import { operationDefinition } from "./operations/catalogue.js";
import { answerKeys, protocolVersion, requestKeys, type Keys } from "./protocol-keys.js";
import {
  decodeCbor,
  descriptorSchema,
  encodeCbor,
  ProtocolError,
  readAs,
  type Answer,
  type Request,
} from "./protocol.js";

const counter = z.number().int().min(0).max(0xffffffff);
const nodeId = z.string().regex(/^[0-9a-z-]{1,23}$/);
const shortText = z.string().max(64);

const request = z.object({
  version: z.literal(protocolVersion),
  id: counter,
  boot: counter,
  sender: nodeId.optional(),
  operation: z.string().regex(/^[a-z0-9._-]{1,32}$/),
  selector: z
    .object({
      name: shortText.optional(),
      task: shortText.optional(),
      node: nodeId.optional(),
      labels: z.array(shortText).max(16).optional(),
    })
    .optional(),
  arguments: z.map(z.unknown(), z.unknown()).optional(),
  input: z.union([z.instanceof(Uint8Array), z.string().max(200)]).optional(),
  inputDescriptor: descriptorSchema.optional(),
  acceptedOutput: descriptorSchema.optional(),
  deadlineMs: counter.optional(),
  priority: z.number().int().min(0).max(255).optional(),
  hopsLeft: z.number().int().min(0).max(255).optional(),
  path: z.array(nodeId).max(32).optional(),
  brief: z.boolean().optional(),
});

/** A request with what only servers write into it. */
export interface ServerRequest extends Request {
  readonly hopsLeft?: number;
  readonly path?: readonly string[];
}

/** What one definition's keys are; made once. */
interface DefinitionKeys {
  readonly arguments: Keys;
  readonly result: Keys;
}
const keysByDefinition = new WeakMap<OperationDefinition, DefinitionKeys>();

function definitionKeys(definition: OperationDefinition): DefinitionKeys {
  let keys = keysByDefinition.get(definition);
  if (keys === undefined) {
    keys = { arguments: keysOf(definition.arguments), result: keysOf(definition.result) };
    keysByDefinition.set(definition, keys);
  }
  return keys;
}

/**
 * The whole request, arguments by name (those of `definition`; default: the catalogue's). On `q` the topic names the
 * sender: `sender` is taken where the request names none. Values of arguments are not checked here.
 * @throws ProtocolError
 */
export function decodeRequest(
  payload: Uint8Array,
  sender: string,
  definition?: OperationDefinition,
): ServerRequest {
  const {
    arguments: args,
    version: _,
    ...rest
  } = readAs("request", requestKeys, request, decodeCbor(payload));
  const known = definition ?? operationDefinition(rest.operation);
  return {
    ...withoutUndefined(rest),
    sender: rest.sender ?? sender,
    ...(args === undefined || known === undefined ? {} : { arguments: namedArguments(known, args) }),
  } as ServerRequest;
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

/** @throws ProtocolError */
function namedArguments(
  definition: OperationDefinition,
  args: ReadonlyMap<unknown, unknown>,
): Readonly<Record<string, unknown>> {
  return named(definitionKeys(definition).arguments, args);
}

function named(keys: Keys, map: ReadonlyMap<unknown, unknown>): Record<string, unknown> {
  try {
    const object = fromMap(keys, map) as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(object).map(([name, value]) => [name, textMapsToObjects(value)]),
    );
  } catch (error) {
    if (error instanceof UnsafeKeyError) throw new ProtocolError(error.message);
    throw error;
  }
}

/** A result by name as the map of an answer. @throws TypeError for a member that the definition does not have */
export function resultMap(
  definition: OperationDefinition,
  result: Readonly<Record<string, unknown>>,
): Map<number, unknown> {
  return toMap(definitionKeys(definition).result, result);
}

/** The result of an answer by the definition's names; undefined when it has none. @throws ProtocolError */
export function namedResult(
  definition: OperationDefinition,
  answer: Pick<Answer, "result">,
): Readonly<Record<string, unknown>> | undefined {
  return answer.result === undefined ? undefined : named(definitionKeys(definition).result, answer.result);
}

/** As `encodeRequest`, with hops and path. `definition` names the arguments; default: the catalogue's. */
export function encodeServerRequest(order: ServerRequest, definition?: OperationDefinition): Uint8Array {
  const known = definition ?? operationDefinition(order.operation);
  const args =
    order.arguments === undefined
      ? undefined
      : toMap(known === undefined ? {} : definitionKeys(known).arguments, order.arguments);
  return encodeCbor(toMap(requestKeys, { version: protocolVersion, ...order, arguments: args }));
}

/** An answer to be made; bytes of any kind of memory. */
export interface AnswerParts extends Omit<Answer, "version" | "output" | "outputDescriptor"> {
  readonly output?: Uint8Array | string;
  readonly outputDescriptor?: Request["inputDescriptor"];
}

/** Deterministic CBOR of a whole answer; a result is a map of integer keys (`resultMap`). */
export function encodeAnswer(answer: AnswerParts): Uint8Array {
  return encodeCbor(toMap(answerKeys, { version: protocolVersion, ...answer }));
}
