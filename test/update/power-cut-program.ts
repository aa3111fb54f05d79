/** What the power-cut tests share: flags for their C programs, what those print, and the tables of docs/updates.md. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";

export const run = promisify(execFile);

export const strict = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"];
export const sanitized = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
export const include = `-I${packagePath("runtime-c", "include")}`;

/** The C files of a folder of this package. */
export function sourcesIn(...folder: string[]): string[] {
  const path = packagePath(...folder);
  return readdirSync(path)
    .filter((name) => name.endsWith(".c"))
    .map((name) => join(path, name));
}

/** The lines that the program prints; fails when something was not as it must be. */
export async function results(program: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await run(program, args).catch((error: { stdout: string }) => error);
  expect(stdout).not.toMatch(/WRONG|rule of the flash/);
  return stdout.trimEnd().split("\n");
}

/** A line without its first column: as the page has it. */
export const row = (line: string): string => line.split("\t").slice(1).join("\t");

/** Rows of the page's table under this heading, as the programs print them. */
export function documented(heading: string): string[] {
  const page = readFileSync(packagePath("docs", "updates.md"), "utf8");
  const section = page.split(`\n### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| ---"));
  return rows.slice(1).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim())
      .join("\t"),
  );
}
