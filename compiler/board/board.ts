/** Finds and reads board files: the project's `boards/`, then tmc's own, or one given by path. It builds and runs nothing. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { schemaIssues } from "../diagnostics/json-file.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import { boardSchema, type BoardDescription } from "./board-schema.js";
import { packagePath } from "./package-root.js";

/** A validated board and the file it came from. */
export interface Board extends BoardDescription {
  /** Absolute path of the YAML file. */
  readonly file: string;
}

export interface BoardSearch {
  /** Folder whose `boards/` is looked at first; default: the current folder. */
  readonly projectDir?: string;
}

function folders(search: BoardSearch): string[] {
  const own = packagePath("boards");
  const project = resolve(search.projectDir ?? process.cwd(), "boards");
  return project === own ? [own] : [project, own];
}

/** Names of all boards that `findBoard` knows, sorted. */
export function listBoards(search: BoardSearch = {}): string[] {
  const names = new Set<string>();
  for (const folder of folders(search)) {
    for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
      if (extname(entry) === ".yaml") {
        names.add(basename(entry, ".yaml"));
      }
    }
  }
  return [...names].sort();
}

/** Reads and validates one board file. @throws UserError TMC4002 that names file, key and what was expected. */
export function readBoard(file: string): Board {
  const path = resolve(file);
  let content: unknown;
  try {
    content = parse(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = error instanceof YAMLParseError || error instanceof Error ? error.message : String(error);
    throw new UserError(
      "TMC4002",
      `${file}: not a readable board file: ${reason}`,
      "Mend the file, or start from a copy of one in tmc's boards/ folder.",
      ExitCode.usage,
    );
  }
  const result = boardSchema.safeParse(content);
  if (!result.success) {
    throw new UserError(
      "TMC4002",
      [`${file}: not a valid board file`, ...schemaIssues(result.error).map((line) => `  ${line}`)].join(
        "\n",
      ),
      "Mend the keys above; tmc's boards/qemu_cortex_m4.yaml is a complete example.",
      ExitCode.usage,
    );
  }
  if (result.data.name !== basename(path, ".yaml")) {
    throw new UserError(
      "TMC4002",
      `${file}: not a valid board file\n  name: expected "${basename(path, ".yaml")}", the file's own name, found "${result.data.name}"`,
      "Give the file and the board the same name.",
      ExitCode.usage,
    );
  }
  return { ...result.data, file: path };
}

/**
 * The board of that name, or of that path (anything with a `/` or ending in `.yaml`).
 * @throws UserError TMC4001 (unknown, lists the known ones), TMC4002 (invalid file).
 */
export function findBoard(nameOrPath: string, search: BoardSearch = {}): Board {
  if (nameOrPath.includes("/") || nameOrPath.endsWith(".yaml")) {
    const path = resolve(search.projectDir ?? process.cwd(), nameOrPath);
    if (!existsSync(path)) {
      throw new UserError(
        "TMC4001",
        `there is no board file ${nameOrPath}`,
        "Check the path.",
        ExitCode.usage,
      );
    }
    return readBoard(path);
  }
  for (const folder of folders(search)) {
    const path = join(folder, `${nameOrPath}.yaml`);
    if (existsSync(path)) {
      return readBoard(path);
    }
  }
  throw new UserError(
    "TMC4001",
    `unknown board "${nameOrPath}"; known boards: ${listBoards(search).join(", ")}`,
    "Use one of these, or describe yours in boards/NAME.yaml of your project.",
    ExitCode.usage,
  );
}
