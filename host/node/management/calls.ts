/**
 * Operations over HTTP: any of the catalogue is called through the Core Service as the operator, its arguments checked
 * by its own schemas; blobs are streamed into and out of the storage.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import { operationDefinition, operationDefinitions } from "../../bus/operations/catalogue.js";
import { common, objectOf, type Fields, type OperationDefinition } from "../../bus/operations/definition.js";
import type { Answer } from "../../bus/protocol.js";
import { parseReference, referenceTo } from "../../bus/references.js";
import { OperationFailure, type Order } from "../operations/operation.js";
import { StorageError, type BlobInfo } from "../storage/storage.js";
import { answering, check, errorResponses, jsonLimit, limited, readBody, readJson } from "./endpoint.js";
import { errorResponse, httpStatus } from "./http-errors.js";
import { fromDescriptor, jsonError, jsonResult, toDescriptor, toInput } from "./json-values.js";
import type { ManagementParts } from "./parts.js";
import { answerFields, blobInfo, callFields, type explainOrder } from "./schemas.js";

/** Who the management interface asks as: the role `operator` of the operations. */
export const operator = "operator";

/** As whom the lists of the page are read: an operator too, but of no interest to who watches requests. */
export const reader = `${operator}:page`;

/** Inline inputs larger than this are kept as blobs and sent as references. */
const inlineLimit = 64 * 1024;

const call = (definition: OperationDefinition) =>
  z.strictObject({ arguments: objectOf(definition.arguments).optional(), ...callFields });

type Call = z.infer<ReturnType<typeof call>>;

/** An order of JSON that is checked. */
export function orderOf(
  operation: string,
  json: Omit<z.infer<typeof explainOrder>, "operation" | "sender">,
): Order {
  const { selector, input, inputDescriptor, acceptedOutput, deadlineMs, priority } = json;
  const args = json.arguments;
  return {
    operation,
    ...(selector === undefined ? {} : { selector: withoutUndefined(selector) }),
    ...(args === undefined ? {} : { arguments: args }),
    ...(input === undefined ? {} : { input: toInput(input) }),
    ...(inputDescriptor === undefined ? {} : { inputDescriptor: toDescriptor(inputDescriptor) }),
    ...(acceptedOutput === undefined ? {} : { acceptedOutput: toDescriptor(acceptedOutput) }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(priority === undefined ? {} : { priority }),
  };
}

const withoutUndefined = (selector: NonNullable<Call["selector"]>): NonNullable<Order["selector"]> =>
  Object.fromEntries(Object.entries(selector).filter(([, value]) => value !== undefined));

/** @throws OperationFailure unknown-operation, bad-request */
export function definitionOf(name: string): OperationDefinition {
  const definition = operationDefinition(name);
  if (definition !== undefined) return definition;
  throw new OperationFailure("unknown-operation", "no operation of the catalogue has this name", "operation");
}

/** Asks this node itself for the result of a reading operation. @throws OperationFailure as it answered */
export async function askSelf(
  parts: ManagementParts,
  operation: string,
  args: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<{ readonly result: Record<string, unknown>; readonly answer: Answer }> {
  const definition = definitionOf(operation);
  const set = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
  const answer = await parts.core.submit(
    { operation, arguments: set, selector: { node: parts.core.id } },
    { sender: reader, signal },
  );
  throwError(answer);
  return { result: jsonResult(definition, answer), answer };
}

function throwError(answer: Answer): void {
  if (answer.error === undefined) return;
  const { code, text, field, ...details } = jsonError(answer).error;
  throw new OperationFailure(code, text, field, details as OperationFailure["details"]);
}

/** Adds POST /operations/{name}, PUT and GET of /blobs. */
export function addCalls(app: OpenAPIHono, parts: ManagementParts): void {
  for (const definition of operationDefinitions) document(app, definition);
  app.post(
    "/api/v1/operations/:name",
    answering(parts.log.log, (c) => run(parts, c)),
  );
  addBlobs(app, parts);
}

/** As `objectOf`, with what the definition says of each field. */
const described = (fields: Fields): z.ZodObject =>
  z.strictObject(
    Object.fromEntries(
      Object.entries(fields).map(([name, { schema, summary }]) => [name, schema.describe(summary)]),
    ),
  );

function document(app: OpenAPIHono, definition: OperationDefinition): void {
  const { name, summary, input, output, precondition, idempotent, callers, minimal, job, errors } =
    definition;
  const order = z.strictObject({ arguments: described(definition.arguments).optional(), ...callFields });
  const answer = z.object({ ...answerFields, result: described(definition.result) });
  const lines = [
    `Input: ${input.need}${input.summary === "" ? "" : `; ${input.summary}`}.`,
    ...(output === undefined ? [] : [`Output: ${output}.`]),
    `Precondition: ${precondition}.`,
    `Idempotent: ${idempotent ? "yes" : "no"}. Callers: ${callers.join(", ")}.${minimal ? " Minimal nodes offer it too." : ""}${job ? " Runs as a job." : ""}`,
    ...Object.entries(errors).map(([code, text]) => `Error \`${code}\`: ${text}.`),
  ];
  app.openAPIRegistry.registerPath({
    method: "post",
    path: `/api/v1/operations/${name}`,
    operationId: name,
    summary,
    description: lines.join("\n\n"),
    tags: ["operations"],
    request: {
      query: z.object({
        order: z.string().optional().describe("with a body of bytes: the rest of the call, as JSON"),
      }),
      body: {
        content: {
          "application/json": { schema: order },
          "multipart/form-data": {
            schema: z.object({
              order: z.string().optional().describe("the call without its input, as JSON"),
              input: z.string().optional().openapi({ type: "string", format: "binary" }),
            }),
          },
          "application/octet-stream": { schema: z.string().openapi({ type: "string", format: "binary" }) },
        },
      },
    },
    responses: {
      200: {
        description: "done; with `Accept: application/octet-stream` the output's bytes",
        content: {
          "application/json": { schema: answer },
          "application/octet-stream": { schema: z.string().openapi({ type: "string", format: "binary" }) },
        },
      },
      ...errorResponses,
    },
  });
}

async function run(parts: ManagementParts, c: Context): Promise<Response> {
  const definition = definitionOf(c.req.param("name") ?? "");
  const order = await readCall(parts, c, definition);
  const startedAt = performance.now();
  const answer = await parts.core.submit(order, { sender: operator, signal: c.req.raw.signal });
  const totalMs = performance.now() - startedAt;
  if (answer.error !== undefined) {
    const body = jsonError(answer);
    return errorResponse(body, httpStatus[body.error.code]);
  }
  if ((c.req.header("accept") ?? "").startsWith("application/octet-stream")) {
    return download(parts, answer);
  }
  const { output, outputDescriptor, queueUs, executionUs } = answer;
  return Response.json({
    node: answer.node,
    result: jsonResult(definition, answer),
    ...(output === undefined
      ? {}
      : {
          output:
            typeof output === "string"
              ? { reference: output }
              : { base64: Buffer.from(output).toString("base64") },
        }),
    ...(outputDescriptor === undefined ? {} : { outputDescriptor: fromDescriptor(outputDescriptor) }),
    ...(queueUs === undefined ? {} : { queueUs }),
    ...(executionUs === undefined ? {} : { executionUs }),
    totalMs,
  });
}

/** The call from any of the three kinds of body. @throws OperationFailure bad-request, too-large */
async function readCall(parts: ManagementParts, c: Context, definition: OperationDefinition): Promise<Order> {
  const type = (c.req.header("content-type") ?? "application/json").split(";")[0]?.trim().toLowerCase();
  const schema = call(definition);
  if (type === "application/json") {
    return orderOf(definition.name, check(schema, await readJson(c.req.raw), "") as Call);
  }
  if (type === "application/octet-stream") {
    const json = check(schema, parseOrder(c.req.query("order")), "order") as Call;
    const blob = await keep(parts, limited(c.req.raw, parts.config.quotas.blobBytes));
    return { ...orderOf(definition.name, json), input: await inlineOrReference(parts, blob) };
  }
  if (type === "multipart/form-data") {
    // A form is read as a whole; what is larger comes as application/octet-stream or through /blobs.
    const whole = await readBody(c.req.raw, 2 * jsonLimit);
    const form = await new Response(new Uint8Array(whole), {
      headers: { "content-type": c.req.header("content-type") ?? "" },
    })
      .formData()
      .catch(() => {
        throw new OperationFailure("bad-request", "not multipart/form-data", "body");
      });
    const text = form.get("order");
    const json = check(schema, parseOrder(typeof text === "string" ? text : undefined), "order") as Call;
    const file = form.get("input");
    if (file === null || typeof file === "string") return orderOf(definition.name, json);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const input =
      bytes.length <= inlineLimit ? bytes : referenceTo("blob", (await keep(parts, bytes)).digest);
    return { ...orderOf(definition.name, json), input };
  }
  throw new OperationFailure(
    "bad-request",
    "a call is application/json, multipart/form-data or application/octet-stream",
    "content-type",
  );
}

function parseOrder(text: string | undefined): unknown {
  if (text === undefined || text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new OperationFailure("bad-request", "not JSON", "order");
  }
}

async function inlineOrReference(parts: ManagementParts, blob: BlobInfo): Promise<Uint8Array | string> {
  const inline = blob.bytes <= inlineLimit ? await parts.storage.blobs.get(blob.digest) : undefined;
  return inline ?? referenceTo("blob", blob.digest);
}

async function keep(
  parts: ManagementParts,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  digest?: string,
): Promise<BlobInfo> {
  try {
    return await parts.storage.blobs.put(source, {
      limit: parts.config.quotas.blobBytes,
      ...(digest === undefined ? {} : { digest }),
    });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    const code = error.code === "unavailable" ? "busy" : error.code;
    throw new OperationFailure(code, error.message, "body");
  }
}

/** The output's bytes, whether they came along or are kept as a blob. */
async function download(parts: ManagementParts, answer: Answer): Promise<Response> {
  const { output = new Uint8Array(), node } = answer;
  const headers = { "x-tmc-node": node };
  if (typeof output !== "string") return bytes(new Uint8Array(output), output.length, headers);
  const reference = parseReference(output);
  if (reference?.kind !== "blob") {
    throw new OperationFailure("not-found", `the output is ${output}, which is not kept here`, "output");
  }
  return readBlob(parts, reference.target, headers);
}

async function readBlob(
  parts: ManagementParts,
  digest: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const info = await parts.storage.blobs.stat(digest);
  const content = info === undefined ? undefined : await parts.storage.blobs.read(digest);
  if (info === undefined || content === undefined) {
    throw new OperationFailure("not-found", "no blob has this digest", "digest");
  }
  return bytes(ReadableStream.from(content) as ReadableStream<Uint8Array>, info.bytes, {
    etag: `"${digest}"`,
    "content-disposition": `attachment; filename="${digest}"`,
    ...headers,
  });
}

const bytes = (
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  length: number,
  headers: Readonly<Record<string, string>>,
): Response =>
  new Response(body, {
    headers: { "content-type": "application/octet-stream", "content-length": String(length), ...headers },
  });

const binary = {
  "application/octet-stream": { schema: z.string().openapi({ type: "string", format: "binary" }) },
};

function addBlobs(app: OpenAPIHono, parts: ManagementParts): void {
  const expected = z.object({ digest: common.digest.optional() });
  app.openAPIRegistry.registerPath({
    method: "put",
    path: "/api/v1/blobs",
    summary: "Keeps bytes, streamed; their reference is an input of operations.",
    tags: ["blobs"],
    request: { query: expected, body: { required: true, content: binary } },
    responses: {
      200: { description: "kept", content: { "application/json": { schema: blobInfo } } },
      ...errorResponses,
    },
  });
  app.put(
    "/api/v1/blobs",
    answering(parts.log.log, async (c) => {
      const { digest } = check(expected, c.req.query(), "query");
      const info = await keep(parts, limited(c.req.raw, parts.config.quotas.blobBytes), digest);
      return Response.json({ ...info, reference: referenceTo("blob", info.digest) });
    }),
  );
  const which = z.object({ digest: common.digest });
  app.openAPIRegistry.registerPath({
    method: "get",
    path: "/api/v1/blobs/{digest}",
    summary: "Gives the bytes of a blob.",
    tags: ["blobs"],
    request: { params: which },
    responses: { 200: { description: "the bytes", content: binary }, ...errorResponses },
  });
  app.get(
    "/api/v1/blobs/:digest",
    answering(parts.log.log, (c) => readBlob(parts, check(which, c.req.param(), "path").digest)),
  );
}
