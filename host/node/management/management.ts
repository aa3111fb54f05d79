/** The management interface of a node: HTTP API, metrics, live events and the page, on one port. */
import { createServer as createHttpsServer } from "node:https";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import type { NodeConfig } from "../config.js";
import { addApi, jobCounts } from "./api.js";
import { addCalls, reader } from "./calls.js";
import { addEndpoint, answering, check, errorResponses } from "./endpoint.js";
import { errorResponse } from "./http-errors.js";
import { eventKinds, LiveFeed, type EventKind } from "./live.js";
import { createMetrics, type Metrics } from "./metrics.js";
import { openApiDocument } from "./openapi.js";
import type { Management, ManagementParts } from "./parts.js";
import { answerHeaders, checkAddress, createGuard, readOrMakeToken, type Guard } from "./security.js";
import { Traffic } from "./traffic.js";
import { webAssets } from "./web-assets.js";

/** What answers from outside need of a running interface. */
interface Services {
  readonly traffic: Traffic;
  /** Undefined where only the document is wanted. */
  readonly running:
    | {
        readonly guard: () => Guard;
        readonly feed: LiveFeed;
        readonly metrics: Metrics;
        readonly secure: boolean;
      }
    | undefined;
}

export function createManagement(parts: ManagementParts): Management {
  const settings = parts.config.management;
  let server: Server | undefined;
  let url = "";
  let end = (): void => undefined;

  return {
    get url() {
      return url;
    },
    async start() {
      checkAddress(settings);
      const token = readOrMakeToken(settings.token);
      const traffic = new Traffic();
      const stopTraffic = parts.core.on("request", (trace) => {
        if (trace.request.sender !== reader) traffic.add(trace);
      });
      const feed = new LiveFeed(parts);
      const metrics = createMetrics(parts, { counts: () => jobCounts(parts) });
      end = () => {
        stopTraffic();
        feed.close();
        metrics.close();
      };
      const sessions = join(parts.config.state, "sessions.json");
      let guard = createGuard(settings, token, settings.port, sessions);
      const secure = settings.tls !== undefined;
      const app = createApp(parts, { traffic, running: { guard: () => guard, feed, metrics, secure } });
      try {
        server = createAdaptorServer({ fetch: app.fetch, ...tlsOptions(parts) }) as Server;
        server.maxConnections = 1000;
        server.headersTimeout = 10_000;
        await listen(server, settings.port, settings.host);
      } catch (error) {
        end();
        throw error;
      }
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : settings.port;
      guard = createGuard(settings, token, port, sessions);
      const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
      url = `${secure ? "https" : "http"}://${host}:${port}`;
      const stopListening = end;
      const file = urlFileOf(parts.config);
      mkdirSync(parts.config.state, { recursive: true, mode: 0o700 });
      writeFileSync(file, `${reachable(url)}\n`);
      end = () => {
        stopListening();
        rmSync(file, { force: true });
      };
      parts.log.log.info({ module: "management", url }, "management interface listens");
    },
    async stop() {
      end();
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      await new Promise<void>((resolve) => {
        closing.close(() => resolve());
        closing.closeIdleConnections();
        // Answers that are being written get a moment.
        setTimeout(() => closing.closeAllConnections(), 500).unref();
      });
    },
  };
}

/** Where commands on this machine find a node that runs: they read the file before they guess by the configuration. */
function urlFileOf(config: NodeConfig): string {
  return join(config.state, "management-url");
}

/** As seen from this machine. */
const reachable = (url: string): string =>
  url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");

function tlsOptions({ config }: ManagementParts): object {
  const { tls } = config.management;
  if (tls === undefined) return {};
  try {
    const serverOptions = { cert: readFileSync(tls.cert), key: readFileSync(tls.key), minVersion: "TLSv1.2" };
    return { createServer: createHttpsServer, serverOptions };
  } catch (error) {
    throw new UserError(
      "TMC6404",
      `the certificate or key of management.tls cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "check management.tls.cert and management.tls.key: PEM files",
      ExitCode.usage,
    );
  }
}

/** @throws UserError TMC6402 */
async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new UserError(
          "TMC6402",
          `the management interface cannot listen at ${host}:${port}: ${error.code ?? error.message}`,
          error.code === "EADDRINUSE"
            ? "stop what listens there, or set management.port (0: any free one)"
            : "check management.host and management.port",
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** The document without a running node: it needs none of its parts. */
export function apiDocument(): Record<string, unknown> {
  const never = new Proxy({} as ManagementParts, {
    // Handlers of a document are never called; what they are given is looked up all the same.
    get: (_, name) => (name === "log" ? { log: undefined } : undefined),
  });
  return openApiDocument(createApp(never, { traffic: new Traffic(), running: undefined }));
}

function createApp(parts: ManagementParts, { traffic, running }: Services): OpenAPIHono {
  const app = new OpenAPIHono();
  if (running !== undefined) addGuard(app, running.guard);
  addApi(app, parts, traffic);
  addCalls(app, parts);
  addRest(app, parts, running);
  app.get("/openapi.json", () => Response.json(openApiDocument(app)));
  app.notFound(() => errorResponse({ error: { code: "not-found", text: "there is nothing at this path" } }));
  return app;
}

/** Paths that hold nothing of the node: the page's files, and the way in. */
const isPublic = (path: string): boolean =>
  !/^\/(api|metrics|openapi)/.test(path) || path === "/api/v1/session";

function addGuard(app: OpenAPIHono, guard: () => Guard): void {
  app.use(async (c, next) => {
    const { path } = c.req;
    const reason = guard().refusal(c.req.raw);
    if (reason !== undefined) {
      c.res = errorResponse({ error: { code: "forbidden", text: reason } });
    } else if (!isPublic(path) && !guard().isOperator(c.req.raw)) {
      const text = "no token, or a wrong one: it is in the file `token` of the node's state folder";
      c.res = errorResponse({ error: { code: "forbidden", text } }, 401, { "www-authenticate": "Bearer" });
    } else {
      await next();
    }
    for (const [name, value] of Object.entries(answerHeaders)) c.res.headers.set(name, value);
    if (!isPublic(path) && !c.res.headers.has("cache-control"))
      c.res.headers.set("cache-control", "no-store");
  });
}

/** Session, events, metrics, the page. */
function addRest(app: OpenAPIHono, parts: ManagementParts, running: Services["running"]): void {
  const { log } = parts.log;
  const kinds = z.object({
    kinds: z
      .string()
      .max(100)
      .optional()
      .describe(`some of ${eventKinds.join(",")}; default: all`),
  });
  app.openAPIRegistry.registerPath({
    method: "get",
    path: "/api/v1/events",
    summary: "Live events (server-sent); after `resync` the state is to be read anew.",
    tags: ["node"],
    request: { query: kinds, headers: z.object({ "last-event-id": z.string().optional() }) },
    responses: {
      200: { description: "events", content: { "text/event-stream": { schema: z.string() } } },
      ...errorResponses,
    },
  });
  app.openAPIRegistry.registerPath({
    method: "get",
    path: "/metrics",
    summary: "Metrics as Prometheus text.",
    tags: ["node"],
    responses: { 200: { description: "text", content: { "text/plain": { schema: z.string() } } } },
  });
  const state = z.object({ loggedIn: z.boolean(), open: z.boolean() });
  if (running === undefined) {
    const described = { tag: "session", response: state, handle: () => ({ loggedIn: false, open: false }) };
    addEndpoint(
      app,
      { ...described, method: "get", path: "/session", summary: "Is the page logged in?" },
      log,
    );
    return;
  }
  const { feed, metrics, guard, secure } = running;
  app.get(
    "/api/v1/events",
    answering(log, async (c) => {
      const asked = check(kinds, c.req.query(), "query").kinds?.split(",") ?? eventKinds;
      const wanted = new Set(
        ["resync", ...asked].filter((kind): kind is EventKind => eventKinds.includes(kind as EventKind)),
      );
      return feed.open(c.req.header("last-event-id"), wanted);
    }),
  );
  app.get(
    "/metrics",
    async () => new Response(await metrics.text(), { headers: { "content-type": metrics.contentType } }),
  );
  app.get("/api/v1/session", (c) =>
    Response.json({ loggedIn: guard().isOperator(c.req.raw), open: parts.config.management.open }),
  );
  app.post(
    "/api/v1/session",
    answering(log, async (c) => {
      const { token } = check(
        z.strictObject({ token: z.string().max(512) }),
        await c.req.json().catch(() => ({})),
        "body",
      );
      const cookie = guard().logIn(token.trim(), secure);
      if (cookie === undefined) {
        log.warn({ module: "management" }, "log-in with a wrong token");
        return errorResponse({ error: { code: "forbidden", text: "wrong token" } }, 401);
      }
      return Response.json({ loggedIn: true, open: false }, { headers: { "set-cookie": cookie } });
    }),
  );
  app.delete("/api/v1/session", (c) =>
    Response.json({ loggedIn: false, open: false }, { headers: { "set-cookie": guard().logOut(c.req.raw) } }),
  );
  addPage(app);
}

function addPage(app: OpenAPIHono): void {
  app.on(["GET", "HEAD"], ["/", "/app.js", "/app.css", "/icon.svg"], async (c) => {
    const asset = (await webAssets()).get(c.req.path);
    if (asset === undefined) return errorResponse({ error: { code: "not-found", text: "no such file" } });
    const headers = { etag: asset.etag, "cache-control": "no-cache", "content-type": asset.type };
    if (c.req.header("if-none-match") === asset.etag) return new Response(null, { status: 304, headers });
    return new Response(asset.body, { headers });
  });
}
