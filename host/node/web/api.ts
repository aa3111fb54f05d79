/** Requests to this page's own server. Failures are ApiError, with the server's code, text and field. */
import type { CallAnswer } from "./types.js";

export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: number,
    readonly code: string,
    readonly text: string,
    readonly field: string | undefined,
  ) {
    super(field === undefined ? `${code}: ${text}` : `${code} in ${field}: ${text}`);
  }
}

/** Called when the session has ended: the page asks for the token. */
let onLoggedOut = (): void => undefined;

export function whenLoggedOut(handler: () => void): void {
  onLoggedOut = handler;
}

/** @throws ApiError also when the node cannot be reached */
export async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const raw = body instanceof Blob;
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers: {
        "x-tmc-request": "page",
        ...(body === undefined || raw ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, "unreachable", "the node does not answer", undefined);
  }
  const text = await answer.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ApiError(answer.status, "internal", `not an answer of a node (${answer.status})`, undefined);
  }
  if (answer.ok) return json as T;
  if (answer.status === 401) onLoggedOut();
  const error = (json as { error?: { code?: string; text?: string; field?: string } }).error;
  throw new ApiError(answer.status, error?.code ?? "internal", error?.text ?? "", error?.field);
}

export const get = <T>(path: string): Promise<T> => request<T>("GET", `/api/v1${path}`);
export const post = <T>(path: string, body?: unknown): Promise<T> =>
  request<T>("POST", `/api/v1${path}`, body);

/** Runs an operation. */
export const call = (operation: string, order: unknown): Promise<CallAnswer> =>
  post<CallAnswer>(`/operations/${operation}`, order);

/** What went wrong, for people. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
