/** The version of tmc, as its package.json has it. */
import { readFileSync } from "node:fs";
import { packagePath } from "./package-root.js";

/** `0.1.0`; "unknown" when the file says nothing. */
export function packageVersion(): string {
  const content: unknown = JSON.parse(readFileSync(packagePath("package.json"), "utf8"));
  return typeof content === "object" && content !== null && "version" in content
    ? String(content.version)
    : "unknown";
}
