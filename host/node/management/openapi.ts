/** The OpenAPI document: made from the schemas that check requests. It is also docs/openapi.json. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { dataSetSummary } from "../../bus/operations/data.js";
import { functionSummary } from "../../bus/operations/function.js";
import { modelSummary } from "../../bus/operations/model.js";
import { nodeSummary } from "../../bus/operations/node.js";
import { jobSummary, orderSchema, stepSummary } from "../../bus/operations/task.js";

// Schemas that stand in the document once, under these names.
for (const [id, schema] of Object.entries({
  Node: nodeSummary,
  DataSet: dataSetSummary,
  Model: modelSummary,
  Function: functionSummary,
  Job: jobSummary,
  Step: stepSummary,
  Order: orderSchema,
})) {
  z.globalRegistry.add(schema, { id });
}

/** Where the repository keeps it; `npm run docs:openapi` writes it. */
export const openApiFile = "docs/openapi.json";

/** @param version of tmc; the kept document leaves it at the version of the API */
export function openApiDocument(app: OpenAPIHono): Record<string, unknown> {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "tmc node",
      version: "1",
      description:
        "Management interface of a complete node. Send the token of the node's state folder as `Authorization: Bearer TOKEN`. See docs/management.md.",
      license: { name: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ token: [] }],
  });
  return {
    ...document,
    components: {
      ...document.components,
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

/** As the file has it. */
export function renderOpenApi(document: Record<string, unknown>): string {
  return `${JSON.stringify(document, undefined, 1)}\n`;
}
