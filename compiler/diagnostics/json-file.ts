/** JSON files that users give: read and checked in one step, refused in the words of whoever reads them. */
import { readFileSync } from "node:fs";
import type { z } from "zod";
import type { UserError } from "./user-error.js";

/** One line an issue: `budget.flash: expected ...`. */
export function schemaIssues(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const key = issue.path.map(String).join(".");
    return `${key === "" ? "(the whole file)" : key}: ${issue.message.replace(/^Invalid (input|option): /, "")}`;
  });
}

/** @throws what `refuse` makes of the reason, when the file is missing, is not JSON, or does not fit the schema. */
export function readJsonFile<T>(file: string, schema: z.ZodType<T>, refuse: (why: string) => UserError): T {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const result = schema.safeParse(content);
  if (!result.success) throw refuse(schemaIssues(result.error).slice(0, 3).join("; "));
  return result.data;
}
