/** The definitions are whole, and the pages made from them are those in docs/. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { packagePath } from "../../../compiler/board/package-root.js";
import { operationDefinition, operationDefinitions } from "./catalogue.js";
import { defineOperation, field, keysOf, objectOf } from "./definition.js";
import {
  operationsPage,
  protocolSchema,
  renderOperationsPage,
  renderProtocolSchema,
} from "./operations-page.js";

const textOf = (file: string): string => readFileSync(packagePath(file), "utf8");

describe("definitions of operations", () => {
  it("are those of the protocol, each once", () => {
    const names = operationDefinitions.map((d) => d.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((n) => n.startsWith("model.")).sort()).toEqual(
      "aggregate delete deploy evaluate infer list optimize promote retrieve store train undeploy validate"
        .split(" ")
        .map((n) => `model.${n}`),
    );
    expect(operationDefinition("model.steal")).toBeUndefined();
  });
  it("say who may call and what must fit", () => {
    for (const d of operationDefinitions) {
      expect(d.callers.length, d.name).toBeGreaterThan(0);
      expect(d.precondition, d.name).not.toBe("");
      expect(d.input.need === "none" || d.input.summary !== "", d.name).toBe(true);
    }
  });
  it("refuse two fields with one key", () => {
    const two = { a: field(1, z.string(), ""), b: field(1, z.string(), "") };
    const base = operationDefinition("data.list")!;
    expect(() => defineOperation({ ...base, arguments: two })).toThrow("data.list: two fields have one key");
  });
  it("give a codec's keys and a strict schema", () => {
    const { arguments: fields } = operationDefinition("node.discover")!;
    expect(keysOf(fields)).toMatchObject({ operation: 0, input: { key: 4, map: { elementType: 0 } } });
    expect(objectOf(fields).safeParse({ limit: 0 }).success).toBe(false);
    expect(objectOf(fields).safeParse({ limt: 10 }).success).toBe(false);
    expect(objectOf(fields).safeParse({ limit: 10 }).success).toBe(true);
  });
});

describe("pages made from the definitions", () => {
  it("are current: npm run docs:operations writes them", () => {
    expect(textOf(operationsPage)).toBe(renderOperationsPage());
    const schema = textOf(protocolSchema);
    expect(renderProtocolSchema(schema)).toBe(schema);
  });
});
