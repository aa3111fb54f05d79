/** The closed set of errors over HTTP: one table, and the body that every error has. */
import { z } from "zod";
import { errorCodes, type ErrorName } from "../../bus/protocol-keys.js";

/** The status of each error of the closed set. 401 is `forbidden` too: nobody is logged in. */
export const httpStatus: Readonly<Record<ErrorName, number>> = {
  "bad-request": 400,
  "unknown-operation": 404,
  "no-capable-node": 503,
  "descriptor-mismatch": 422,
  "not-found": 404,
  "too-large": 413,
  busy: 429,
  deadline: 504,
  "hops-exhausted": 508,
  forbidden: 403,
  version: 400,
  corrupt: 422,
  "no-space": 507,
  "function-failed": 502,
  cancelled: 409,
  internal: 500,
};

const names = Object.keys(errorCodes) as [ErrorName, ...ErrorName[]];

export const errorBody = z
  .object({
    error: z.object({
      code: z.enum(names),
      text: z.string(),
      /** The place in the request, e.g. "arguments.name". */
      field: z.string().optional(),
      /** busy: ms after which to try again. */
      retryAfterMs: z.number().optional(),
      /** function-failed: trap code and site. */
      trap: z.number().optional(),
      site: z.number().optional(),
    }),
    /** That answered so; absent when the management interface itself refused. */
    node: z.string().optional(),
  })
  .meta({ id: "Error" });

export type ErrorBody = z.infer<typeof errorBody>;

/** @param status default: that of the table */
export function errorResponse(
  body: ErrorBody,
  status: number = httpStatus[body.error.code],
  headers: Readonly<Record<string, string>> = {},
): Response {
  const retry = body.error.retryAfterMs;
  return Response.json(body, {
    status,
    headers: {
      ...(retry === undefined ? {} : { "retry-after": String(Math.ceil(retry / 1000)) }),
      ...headers,
    },
  });
}
