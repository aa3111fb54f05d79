/** The workflow of examples/workflow fits the operations as they are defined. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { packagePath } from "../../../../compiler/board/package-root.js";
import { checkWorkflow } from "./check.js";

it("examples/workflow/workflow.yaml has no findings", () => {
  const { checked, findings } = checkWorkflow(
    parse(readFileSync(packagePath("examples/workflow/workflow.yaml"), "utf8")),
    {},
  );
  expect(findings).toEqual([]);
  // Every step of the completeness test is there.
  const operations = checked?.workflow.steps.map((step) => step.operation) ?? [];
  for (const name of [
    "data.collect",
    "data.store",
    "data.split",
    "model.train",
    "model.optimize",
    "model.validate",
    "model.deploy",
    "model.infer",
    "node.monitor",
  ]) {
    expect(operations).toContain(name);
  }
  expect(operations.lastIndexOf("model.train")).toBe(operations.length - 1);
});
