/** The table of supported operators: complete, quoted by errors, and the page made from it. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildFile, int8, smallFile } from "../../test/models/tflite-file.js";
import { packagePath } from "../board/package-root.js";
import { UserError } from "../diagnostics/user-error.js";
import { operatorSupport, supportedOperatorNames, supportedValues } from "./operator-support.js";
import { operatorsPage, renderOperatorsPage, supportReport } from "./support-report.js";
import { readTflite } from "./tflite/read.js";
import { operatorSchemas } from "./tflite/schema.js";

describe("what is supported", () => {
  it("is what the reader reads", () => {
    const read = [...operatorSchemas.values()].map(({ name }) => name).sort();
    expect(supportedOperatorNames).toEqual(read);
    expect(supportReport().operators.every(({ newestVersion }) => newestVersion >= 1)).toBe(true);
  });
  it("has an entry for every attribute that the reader refuses", () => {
    // The names that the reader passes to its errors.
    const source = ["read-operators.ts", "read-movement.ts", "read-context.ts"]
      .map((file) => readFileSync(packagePath("compiler", "model", "tflite", file), "utf8"))
      .join("\n");
    const named = [...source.matchAll(/(?:attribute|positive)\(\s*context,[^;()]*?"([a-z_]+)"/g)].map(
      (m) => m[1] ?? "",
    );
    const known = new Set(
      Object.values(operatorSupport).flatMap(({ attributes }) => Object.keys(attributes)),
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
  it("is quoted when an attribute is refused", () => {
    const file = smallFile();
    const bytes = buildFile({
      ...file,
      operators: file.operators.map((operator, i) =>
        i === 0 ? { ...operator, options: { ...operator.options, 3: int8(4) } } : operator,
      ),
    });
    let message = "";
    try {
      readTflite(bytes, "small");
    } catch (error) {
      message = error instanceof UserError ? error.message : "";
    }
    expect(message).toContain(
      `TANH is not supported; supported: ${supportedValues("CONV_2D", "fused_activation_function")}`,
    );
  });
  it("is what docs/model-operators.md says: `npm run docs:operators` makes it", () => {
    expect(readFileSync(packagePath(operatorsPage), "utf8")).toBe(renderOperatorsPage(supportReport()));
  });
});
