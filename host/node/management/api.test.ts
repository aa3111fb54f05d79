/** The HTTP API: every endpoint answers what its schema says, failures are of the closed set, inputs are checked. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { startFakeNode, type FakeNode } from "../../../test/support/fake-node.js";
import { packagePath } from "../../../compiler/board/package-root.js";
import { operationDefinitions } from "../../bus/operations/catalogue.js";
import { errorCodes, type ErrorName } from "../../bus/protocol-keys.js";
import { httpStatus } from "./http-errors.js";
import { apiDocument } from "./management.js";
import { openApiFile, renderOpenApi } from "./openapi.js";
import { percentile, Traffic } from "./traffic.js";

let node: FakeNode;
afterEach(() => node.close());

const json = async (path: string, init?: RequestInit): Promise<{ status: number; body: never }> => {
  const answer = await node.fetch(path, init);
  return { status: answer.status, body: (await answer.json()) as never };
};
const post = (path: string, body: unknown): Promise<{ status: number; body: never }> =>
  json(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

describe("what is known of the node", () => {
  it("tells status, nodes, capabilities, configuration without passwords", async () => {
    node = await startFakeNode({}, { storageBytes: async () => ({ data: 10 }), brokerClients: () => 3 });
    node.join("pump-1");
    node.join("pump-2");
    node.leave("pump-2");
    expect((await json("/api/v1/status")).body).toMatchObject({
      id: "edge",
      state: "running",
      nodes: { online: 1, known: 2 },
      brokerClients: 3,
      storageBytes: { data: 10 },
      neighbours: [{ id: "cloud", connected: true }],
    });
    const { body } = await json("/api/v1/nodes?online=true");
    expect(body).toMatchObject({ nodes: [{ node: "pump-1", resetReason: "watchdog", server: "edge" }] });
    expect((await json("/api/v1/nodes?limit=1")).body).toMatchObject({
      nodes: [{ node: "pump-1" }],
      next: "pump-1",
    });
    const rest = (await json("/api/v1/nodes?limit=1&after=pump-1")).body as {
      nodes: object[];
      next?: string;
    };
    expect(rest).toMatchObject({ nodes: [{ node: "pump-2" }] });
    expect(rest.next).toBeUndefined();
    expect((await json("/api/v1/nodes/pump-1")).body).toMatchObject({
      birth: { sensors: [{ name: "accelerometer" }] },
      state: { counters: { received: 120, errors: { busy: 2 } } },
    });
    expect((await json("/api/v1/nodes/edge")).body).toMatchObject({ online: true, birth: { kind: 1 } });
    expect(await json("/api/v1/nodes/nobody")).toMatchObject({
      status: 404,
      body: { error: { code: "not-found" } },
    });
    expect(await json("/api/v1/nodes/UP%2F..")).toMatchObject({
      status: 400,
      body: { error: { field: "path.id" } },
    });
    const capabilities = (await json("/api/v1/capabilities")).body as { capabilities: object[] };
    expect(capabilities.capabilities).toHaveLength(operationDefinitions.length);
    expect(capabilities.capabilities).toContainEqual(
      expect.objectContaining({ operation: "model.infer", nodes: ["pump-1"], local: true }),
    );
    const configuration = JSON.stringify((await json("/api/v1/configuration")).body);
    expect(configuration).toContain("mqtt://***@broker:1883");
    expect(configuration).not.toContain("hunter2");
  });

  it("tells log lines by level and text", async () => {
    node = await startFakeNode();
    node.log.log.info({ module: "core" }, "first");
    node.log.log.warn({ module: "core" }, "Second");
    const { body } = await json("/api/v1/logs?level=40&text=second");
    expect(body).toMatchObject({ lines: [{ msg: "Second", module: "core", level: 40 }] });
    expect(await json("/api/v1/logs?level=high")).toMatchObject({
      status: 400,
      body: { error: { field: "query.level" } },
    });
  });

  it("tells latencies and the newest requests", async () => {
    node = await startFakeNode();
    for (let i = 0; i < 100; i++) node.request({ totalMs: i < 98 ? 2 : 200 });
    // What open pages read is not told as traffic.
    node.request({ request: { id: 1, boot: 1, sender: "operator:page", operation: "data.list" } });
    node.request({ operation: "made.up", error: "unknown-operation" });
    const { body } = await json("/api/v1/requests?limit=1");
    const { operations, recent } = body as { operations: Record<string, number>[]; recent: object[] };
    expect(recent).toMatchObject([{ operation: "made.up", error: "unknown-operation" }]);
    expect(operations).toMatchObject([
      { operation: "data.store", count: 100, errors: 0 },
      { operation: "other", count: 1, errors: 1 },
    ]);
    expect(operations[0]!["p50Ms"]!).toBeGreaterThan(1.6);
    expect(operations[0]!["p50Ms"]!).toBeLessThan(2.4);
    expect(operations[0]!["p99Ms"]!).toBeGreaterThan(160);
  });

  it("gives Prometheus text whose series strangers cannot multiply", async () => {
    const labels = { ok: 2, odd: 1 };
    const inferred = { model: "m@1", inferences: 3, meanUs: 120, labels, recentScore: 0.75 };
    const broker = { connections: 5, halfOpen: 2, sessions: 4, queued: 7, retained: 6, received: 100 };
    node = await startFakeNode(
      {},
      {
        inferences: () => [inferred],
        brokerStatus: () => ({ ...broker, refused: { address: 8, queue: 0 } }),
      },
    );
    node.join("pump-1", {}, { inFlight: 2 });
    node.request();
    for (let i = 0; i < 50; i++) node.request({ operation: `made.up.${i}`, error: "odd" });
    const text = await (await node.fetch("/metrics")).text();
    expect(text).toMatch(
      /tmc_requests_total\{operation="data.store",decision="local",error="none",node="edge"\} 1/,
    );
    expect(text).toMatch(
      /tmc_requests_total\{operation="other",decision="local",error="internal",node="edge"\} 50/,
    );
    expect(text).toMatch(/tmc_nodes_online\{node="edge"\} 1/);
    expect(text).toMatch(/tmc_requests_in_flight\{node="edge"\} 2/);
    expect(text).toMatch(/tmc_jobs\{state="running",node="edge"\} 0/);
    expect(text).toMatch(/tmc_model_inferences\{model="m@1",node="edge"\} 3/);
    expect(text).toMatch(/tmc_model_decisions\{model="m@1",label="odd",node="edge"\} 1/);
    expect(text).toMatch(/tmc_broker_half_open\{node="edge"\} 2/);
    expect(text).toMatch(/tmc_broker_queued_messages\{node="edge"\} 7/);
    expect(text).toMatch(/tmc_broker_messages_total\{node="edge"\} 100/);
    expect(text).toMatch(/tmc_broker_refused_total\{reason="address",node="edge"\} 8/);
    // A counter, however often it is asked for.
    const again = await (await node.fetch("/metrics")).text();
    expect(again).toMatch(/tmc_broker_refused_total\{reason="address",node="edge"\} 8/);
    expect(text).not.toContain("made.up");
    expect(text).toContain("process_resident_memory_bytes");
  });
});

describe("operations", () => {
  it("runs one as the operator, arguments checked, result by name", async () => {
    node = await startFakeNode();
    node.answer("data.split", () => ({ result: { usages: { training: 8, test: 2 } } }));
    expect(
      await post("/api/v1/operations/data.split", { arguments: { name: "vibration", training: 0.8 } }),
    ).toMatchObject({
      status: 200,
      body: { node: "edge", result: { usages: { training: 8, test: 2 } }, executionUs: 345 },
    });
    expect(node.orders).toEqual([
      {
        sender: "operator",
        order: { operation: "data.split", arguments: { name: "vibration", training: 0.8 } },
      },
    ]);
  });

  it.each([
    ["an unknown operation", "data.destroy", {}, 404, "unknown-operation", "operation"],
    [
      "an argument out of range",
      "data.split",
      { arguments: { name: "v", training: 2 } },
      400,
      "bad-request",
      "arguments.training",
    ],
    ["an argument too many", "data.list", { arguments: { nome: "v" } }, 400, "bad-request", "arguments"],
    [
      "a reference that is none",
      "model.infer",
      { input: { reference: "file:/etc/passwd" } },
      400,
      "bad-request",
      "input.reference",
    ],
    ["nobody for it", "data.list", {}, 503, "no-capable-node", undefined],
  ] as const)("refuses %s", async (_, operation, body, status, code, field) => {
    node = await startFakeNode();
    const answer = await post(`/api/v1/operations/${operation}`, body);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect((answer.body as { error: { field?: string } }).error.field).toBe(field);
  });

  it.each(Object.keys(errorCodes) as ErrorName[])("answers %s with its status", async (code) => {
    node = await startFakeNode();
    node.answer("data.list", () => ({ error: { code, text: "because" } }));
    const answer = await post("/api/v1/operations/data.list", {});
    expect(answer).toMatchObject({
      status: httpStatus[code],
      body: { error: { code, text: "because" }, node: "edge" },
    });
  });

  it("takes inputs inline, as bytes and as a form, and gives outputs as bytes", async () => {
    node = await startFakeNode();
    node.answer("data.store", (order) => ({
      result: { digests: [], items: 1, bytes: 3 },
      output: order.input!,
    }));
    const input = new Uint8Array([1, 2, 255]);
    const order = { arguments: { name: "v" }, inputDescriptor: { elementType: "u8", shape: [3] } };
    const path = "/api/v1/operations/data.store";
    const inline = await post(path, { ...order, input: { base64: Buffer.from(input).toString("base64") } });
    expect(inline.body).toMatchObject({ output: { base64: "AQL/" } });
    const form = new FormData();
    form.set("order", JSON.stringify(order));
    form.set("input", new Blob([input]));
    expect((await json(path, { method: "POST", body: form })).body).toMatchObject({
      output: { base64: "AQL/" },
    });
    const raw = await node.fetch(`${path}?order=${encodeURIComponent(JSON.stringify(order))}`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream", accept: "application/octet-stream" },
      body: input,
    });
    expect(new Uint8Array(await raw.arrayBuffer())).toEqual(input);
    expect(raw.headers.get("x-tmc-node")).toBe("edge");
    for (const each of node.orders) {
      expect(each.order).toMatchObject({ input, inputDescriptor: { elementType: 1, shape: [3] } });
    }
  });

  it("sends what is larger than a message by reference, and refuses what is larger than a blob", async () => {
    node = await startFakeNode();
    Object.assign(node.parts.config.quotas, { blobBytes: 200_000 });
    node.answer("model.store", (order) => ({ output: order.input! }));
    const send = (bytes: number): Promise<{ status: number; body: never }> =>
      json(
        "/api/v1/operations/model.store?order=" +
          encodeURIComponent('{"arguments":{"name":"m","version":"1"}}'),
        {
          method: "POST",
          headers: { "content-type": "application/octet-stream" },
          body: new Uint8Array(bytes),
        },
      );
    const { body } = await send(100_000);
    expect(body).toMatchObject({
      output: { reference: expect.stringMatching(/^blob:[0-9a-f]{64}$/) as string },
    });
    expect(await send(200_001)).toMatchObject({ status: 413, body: { error: { code: "too-large" } } });
  });

  it("tells the Core Service when the client is gone", async () => {
    node = await startFakeNode();
    let gone: () => void;
    const aborted = new Promise<void>((resolve) => (gone = resolve));
    node.answer("model.train", async (_, { signal }) => {
      await new Promise((resolve) => signal!.addEventListener("abort", resolve));
      gone();
      return { error: { code: "cancelled", text: "client gone" } };
    });
    const client = new AbortController();
    const call = node.fetch("/api/v1/operations/model.train", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ arguments: { name: "m", data: "d" } }),
      signal: client.signal,
    });
    await expect.poll(() => node.orders.length).toBe(1);
    client.abort();
    await expect(call).rejects.toThrow();
    await aborted;
  });
});

describe("blobs", () => {
  it("are kept, given back, and refused with a wrong digest", async () => {
    node = await startFakeNode();
    const body = new Uint8Array([5, 6, 7]);
    const digest = createHash("sha256").update(body).digest("hex");
    expect(await json(`/api/v1/blobs?digest=${digest}`, { method: "PUT", body })).toMatchObject({
      status: 200,
      body: { digest, bytes: 3, reference: `blob:${digest}` },
    });
    const back = await node.fetch(`/api/v1/blobs/${digest}`);
    expect(new Uint8Array(await back.arrayBuffer())).toEqual(body);
    expect(back.headers.get("content-disposition")).toContain("attachment");
    expect(await json(`/api/v1/blobs?digest=${"0".repeat(64)}`, { method: "PUT", body })).toMatchObject({
      status: 422,
      body: { error: { code: "corrupt" } },
    });
    expect((await json(`/api/v1/blobs/${"0".repeat(64)}`)).status).toBe(404);
    expect((await json("/api/v1/blobs/..%2f..%2fetc%2fpasswd")).status).toBe(400);
  });
});

describe("data, models, jobs", () => {
  it("shows items as numbers", async () => {
    node = await startFakeNode();
    node.answer("data.retrieve", (order) => {
      expect(order.arguments).toMatchObject({ name: "vibration", offset: 2, limit: 2 });
      const output = new Uint8Array(new Float32Array([1, 2, 3, NaN]).buffer);
      return {
        result: { items: 2, total: 9, labels: ["ok", ""] },
        output,
        outputDescriptor: { elementType: 6, shape: [2, 2], rate: 100, unit: "g" },
      };
    });
    expect((await json("/api/v1/data/vibration/items?offset=2&limit=2")).body).toEqual({
      name: "vibration",
      total: 9,
      offset: 2,
      elementType: "f32",
      shape: [2],
      rate: 100,
      unit: "g",
      items: [{ label: "ok", values: [1, 2] }, { values: [3, null] }],
    });
  });

  it("lists and cancels jobs", async () => {
    node = await startFakeNode();
    node.job({ id: "j-1", progress: 0.4 });
    node.job({
      id: "j-2",
      operation: "task.workflow",
      steps: [{ name: "collect", state: "done", attempts: 1 }],
    });
    expect((await json("/api/v1/jobs")).body).toMatchObject({ jobs: [{ id: "j-2" }, { id: "j-1" }] });
    expect((await json("/api/v1/workflows")).body).toMatchObject({
      jobs: [{ id: "j-2", steps: [{ name: "collect" }] }],
    });
    expect(await json("/api/v1/jobs/j-1/cancel", { method: "POST" })).toMatchObject({
      body: { state: "cancelled" },
    });
    expect((await json("/api/v1/jobs/none/cancel", { method: "POST" })).status).toBe(404);
    // The rules of access hold here too.
    node.job({ id: "j-3" });
    const error = { code: "forbidden", text: "not for the role operator" } as const;
    node.explanation = { decision: "refuse", chosen: undefined, error, candidates: [] };
    expect(await json("/api/v1/jobs/j-3/cancel", { method: "POST" })).toMatchObject({
      status: 403,
      body: { error: { code: "forbidden" } },
    });
    expect(await node.parts.jobs.get("j-3")).toMatchObject({ state: "running" });
    expect((await json("/api/v1/jobs?state=odd")).status).toBe(400);
  });

  it("lists schedules, and says when", async () => {
    const order = { operation: "node.monitor" };
    const nextAt = Date.parse("2026-01-02T03:04:05Z");
    node = await startFakeNode(
      {},
      {
        schedules: {
          list: () => [
            {
              name: "a",
              cron: "0 4 * * *",
              order,
              sender: "operator",
              nextAt,
              sentAt: nextAt - 1000,
              last: "deadline",
            },
            { name: "b", everyS: 60, order, sender: "operator", nextAt, last: "done" },
          ],
        },
      },
    );
    expect((await json("/api/v1/schedules")).body).toEqual({
      schedules: [
        {
          name: "a",
          when: "0 4 * * *",
          order,
          sender: "operator",
          next: "2026-01-02T03:04:05.000Z",
          last: "2026-01-02T03:04:04.000Z",
          lastError: "deadline",
        },
        { name: "b", when: "every 60 s", order, sender: "operator", next: "2026-01-02T03:04:05.000Z" },
      ],
    });
  });

  it("drains, resumes, stops", async () => {
    node = await startFakeNode();
    await json("/api/v1/control/drain", { method: "POST" });
    expect((await json("/api/v1/status")).body).toMatchObject({ state: "drained" });
    expect((await json("/api/v1/control/resume", { method: "POST" })).body).toEqual({ state: "running" });
    expect((await json("/api/v1/control/stop", { method: "POST" })).body).toEqual({ state: "stopping" });
    await expect.poll(() => node.stopped).toBe(true);
  });
});

describe("the OpenAPI document", () => {
  it("has every operation of the catalogue with its arguments and result", async () => {
    node = await startFakeNode();
    const { paths } = (await json("/openapi.json")).body as { paths: Record<string, { post?: object }> };
    for (const { name, arguments: args, result } of operationDefinitions) {
      const text = JSON.stringify(paths[`/api/v1/operations/${name}`]?.post);
      for (const field of [...Object.keys(args), ...Object.keys(result)])
        expect(text, name).toContain(`"${field}"`);
    }
    expect(Object.keys(paths)).toContain("/api/v1/events");
  });

  it(`is ${openApiFile}: \`npm run docs:openapi\` makes it`, async () => {
    node = await startFakeNode();
    expect(readFileSync(packagePath(openApiFile), "utf8")).toBe(renderOpenApi(apiDocument()));
  });
});

describe("latencies", () => {
  it("are kept for five minutes", async () => {
    node = await startFakeNode();
    let now = 1_000_000;
    const traffic = new Traffic(() => now);
    const trace = {
      request: { id: 1, boot: 1, sender: "a", operation: "data.list" },
      origin: "bus",
      node: "e",
    } as const;
    const add = (): void =>
      traffic.add({
        ...trace,
        decision: "local",
        attempts: 1,
        error: undefined,
        totalMs: 1,
        queueUs: 0,
        executionUs: 0,
        at: now,
      });
    add();
    now += 200_000;
    add();
    expect(traffic.operations()[0]).toMatchObject({ count: 2 });
    now += 120_000;
    expect(traffic.operations()[0]).toMatchObject({ count: 1 });
    now += 400_000;
    expect(traffic.operations()).toEqual([]);
    expect(traffic.total).toBe(2);
    expect(percentile(new Uint32Array(112), 0.5)).toBeUndefined();
  });
});
