/** `tmc new DIR`: writes a project that builds and tests at once, from `templates/app`. It installs nothing. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { packagePath, packageRoot } from "../../board/package-root.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { describeCommand } from "../help.js";

export function registerNew(program: Command): void {
  const command = program
    .command("new")
    .description("start a project: an app, a unit test and the settings for editor and tests")
    .argument("<dir>", "a folder that does not exist yet, or is empty; its name becomes the node's")
    .action(async (dir: string) => {
      const files = await createProject(resolve(dir));
      process.stdout.write(
        [
          `${files.length} files in ${dir}:`,
          ...files.map((file) => `  ${file}`),
          "",
          "next:",
          `  cd ${dir} && npm install`,
          "  npm test",
          "  npm run build",
          "",
        ].join("\n"),
      );
    });
  describeCommand(command, {
    examples: [["tmc new my-node", "then: cd my-node, npm install, npm test, npm run build"]],
    exitCodes: ["ok", "usage"],
  });
}

/**
 * Writes the project. @returns the files, relative to `folder`, sorted.
 * @throws UserError TMC0040 (not empty), TMC0041 (name that is none for a node), TMC0014 (cannot be written).
 */
export async function createProject(folder: string): Promise<string[]> {
  const name = basename(folder);
  if (!/^[a-z][0-9a-z-]{0,22}$/.test(name)) {
    throw new UserError(
      "TMC0041",
      `"${name}" cannot be the name of a node`,
      "use 1 to 23 characters of a-z, 0-9 and -, starting with a letter",
      ExitCode.usage,
    );
  }
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0)) {
    throw new UserError(
      "TMC0040",
      `${relative(process.cwd(), folder) || folder} exists and is not empty`,
      "choose another folder, or empty this one",
      ExitCode.usage,
    );
  }
  const { default: Handlebars } = await import("handlebars");
  const values = {
    name,
    // Not from a registry: this very tmc. A relative path keeps working when both are moved together.
    tmc: `file:${relative(folder, packageRoot())}`,
    vitest: vitestVersion(),
  };
  const template = packagePath("templates", "app");
  const written: string[] = [];
  for (const file of readdirSync(template, { recursive: true, encoding: "utf8" }).sort()) {
    if (statSync(join(template, file)).isDirectory()) {
      continue;
    }
    const text = readFileSync(join(template, file), "utf8");
    const target = file === "gitignore" ? ".gitignore" : file.replace(/\.hbs$/, "");
    const content = file.endsWith(".hbs")
      ? Handlebars.compile(text, { noEscape: true, strict: true })(values)
      : text;
    write(join(folder, target), content);
    written.push(target);
  }
  return written.sort();
}

function write(file: string, content: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  } catch (error) {
    throw new UserError(
      "TMC0014",
      `cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`,
      "choose a folder that you may write",
      ExitCode.usage,
    );
  }
}

/** The version that tmc itself is tested with. */
function vitestVersion(): string {
  const content: unknown = JSON.parse(readFileSync(packagePath("package.json"), "utf8"));
  const text = JSON.stringify(content);
  return /"vitest":"([^"]+)"/.exec(text)?.[1] ?? "4";
}
