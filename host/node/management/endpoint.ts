/**
 * One HTTP endpoint in one value: what it takes and gives as zod schemas, from which the checks and the OpenAPI document
 * are made. Failures are OperationFailure, answered with the status of the table in http-errors.ts.
 */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import { OperationFailure } from "../operations/operation.js";
import { errorBody, errorResponse } from "./http-errors.js";
import type { Log } from "../log.js";
import { issueText } from "../../bus/operations/definition.js";

/** Bytes of a JSON body. */
export const jsonLimit = 8 * 1024 * 1024;

type Shape = z.ZodObject;
const nothing = z.object({});
type Nothing = typeof nothing;

export interface Endpoint<
  P extends Shape = Nothing,
  Q extends Shape = Nothing,
  B extends z.ZodType = z.ZodUndefined,
  R extends z.ZodType = z.ZodUnknown,
> {
  readonly method: "get" | "post" | "put" | "delete";
  /** Below /api/v1, parameters as {name}. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: P;
  readonly query?: Q;
  /** A JSON body. */
  readonly body?: B;
  readonly response: R;
  handle(input: {
    readonly params: z.infer<P>;
    readonly query: z.infer<Q>;
    readonly body: z.infer<B>;
    /** Aborted when the client is gone. */
    readonly signal: AbortSignal;
  }): Promise<z.input<R>> | z.input<R>;
}

/** The errors that any endpoint can answer with, in the document. */
export const errorResponses = {
  default: {
    description: "an error of the closed set; the status says which kind",
    content: { "application/json": { schema: errorBody } },
  },
} as const;

/** Adds the endpoint to the routes and to the document. */
export function addEndpoint<P extends Shape, Q extends Shape, B extends z.ZodType, R extends z.ZodType>(
  app: OpenAPIHono,
  endpoint: Endpoint<P, Q, B, R>,
  log: Log,
): void {
  const { method, params, query, body, response, summary, tag } = endpoint;
  const path = `/api/v1${endpoint.path}`;
  app.openAPIRegistry.registerPath({
    method,
    path,
    summary,
    tags: [tag],
    request: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { "application/json": { schema: body } } } }),
    },
    responses: {
      200: { description: "done", content: { "application/json": { schema: response } } },
      ...errorResponses,
    },
  });
  app.on(
    method.toUpperCase(),
    path.replace(/\{(\w+)\}/g, ":$1"),
    answering(log, async (c) => {
      const value = await endpoint.handle({
        params: check(params ?? nothing, c.req.param(), "path") as z.infer<P>,
        query: check(query ?? nothing, fromText(query ?? nothing, c.req.query()), "query") as z.infer<Q>,
        body: (body === undefined ? undefined : check(body, await readJson(c.req.raw), "body")) as z.infer<B>,
        signal: c.req.raw.signal,
      });
      return value instanceof Response ? value : Response.json(value);
    }),
  );
}

/** A handler whose failures become answers: those of the closed set as they are, bugs as `internal` and a log line. */
export function answering(
  log: Log,
  handler: (c: Context) => Promise<Response>,
): (c: Context) => Promise<Response> {
  return async (c) => {
    try {
      return await handler(c);
    } catch (error) {
      if (error instanceof OperationFailure) {
        const { code, text, field, details } = error;
        return errorResponse({
          error: { code, text, ...(field === undefined ? {} : { field }), ...details },
        });
      }
      log.error({ err: error, path: c.req.path }, "management request failed");
      return errorResponse({ error: { code: "internal", text: "see the log of the node" } });
    }
  };
}

/** @throws OperationFailure bad-request, with the place of the first mistake */
export function check<S extends z.ZodType>(schema: S, value: unknown, place: string): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new OperationFailure(
    "bad-request",
    issueText(issue),
    [place, ...(issue?.path ?? [])].filter((part) => part !== "").join("."),
  );
}

/** The text of a query as the types of its schema: "5" is a number where text is not allowed. */
function fromText(schema: Shape, query: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).map(([name, text]) => {
      const one = schema.shape[name];
      if (!(one instanceof z.ZodType) || one.safeParse(text).success) return [name, text];
      if (text === "true" || text === "false") return [name, text === "true"];
      return [name, text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text];
    }),
  );
}

/** @throws OperationFailure too-large, bad-request */
export async function readJson(request: Request): Promise<unknown> {
  const text = Buffer.from(await readBody(request, jsonLimit)).toString("utf8");
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new OperationFailure(
      "bad-request",
      `not JSON: ${error instanceof Error ? error.message : String(error)}`,
      "body",
    );
  }
}

/** The whole body. @throws OperationFailure too-large as soon as `limit` bytes are passed */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of limited(request, limit)) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}

/** The body in pieces. @throws OperationFailure too-large as soon as `limit` bytes are passed */
export async function* limited(request: Request, limit: number): AsyncGenerator<Uint8Array> {
  const tooLarge = (): OperationFailure =>
    new OperationFailure("too-large", `the body is larger than ${limit} bytes`, "body");
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge();
  if (request.body === null) return;
  let bytes = 0;
  for await (const piece of request.body as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > limit) throw tooLarge();
    yield piece;
  }
}
