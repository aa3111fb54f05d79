/** `tmc workflow check`, and workflows in files: YAML, JSON, TypeScript. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { packagePath } from "../../compiler/board/package-root.js";
import { checkFile } from "../../compiler/cli/commands/workflow.js";
import { defineWorkflow } from "../../host/node/jobs/workflow/define-workflow.js";
import { workflowSchema } from "../../host/node/jobs/workflow/description.js";
import { loadWorkflow } from "../../host/node/jobs/workflow/load-workflow.js";

const folder = mkdtempSync(join(tmpdir(), "tmc-workflow-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function tmc(...args: readonly string[]) {
  const script =
    'import("./compiler/cli/main.ts").then(async m=>{process.exitCode=await m.main(process.argv.slice(1))})';
  return spawnSync(process.execPath, ["--import", "tsx", "-e", script, "--", ...args], {
    cwd: packagePath("."),
    encoding: "utf8",
  });
}

describe("tmc workflow check", () => {
  it("finds nothing in the example, and every mistake of a bad file", () => {
    const good = tmc("workflow", "check", "examples/workflow/workflow.yaml");
    expect(good.stderr).toBe("");
    expect(good.stdout).toMatch(/workflow\.yaml: \d+ steps, no mistakes/);
    expect(good.status).toBe(0);
    const path = file(
      "bad.yaml",
      "workflow: w\nsteps:\n  - { name: a, operation: model.trian }\n  - { name: b, operation: data.split, arguments: { name: d } }\n",
    );
    const bad = tmc("workflow", "check", path);
    expect(bad.stderr).toContain(`error TMC6504: ${path} has 2 mistakes`);
    expect(bad.stderr).toContain("  steps[0].operation: there is no operation model.trian; of this group");
    expect(bad.stderr).toContain("  steps[1].arguments.training: is missing: share");
    expect(bad.status).toBe(1);
  });
});

describe("files of workflows", () => {
  const steps = 'steps: [{ name: a, operation: data.list, arguments: { limit: "${inputs.limit}" } }]';
  const text = `workflow: w\ninputs: { limit: { type: integer }, prefix: { type: string, default: x } }\n${steps}\n`;

  it("get their inputs from the command line", async () => {
    const path = file("inputs.yaml", text);
    expect(await checkFile(path, undefined)).toMatchObject({ findings: [], inputs: {} });
    expect(await checkFile(path, ["limit=5", "prefix=5"])).toMatchObject({
      findings: [],
      inputs: { limit: 5, prefix: "5" },
    });
    expect((await checkFile(path, ["limit=0"])).findings).toMatchObject([
      { place: "steps[0].arguments.limit" },
    ]);
    expect((await checkFile(path, [])).findings).toMatchObject([{ place: "inputs.limit" }]);
    for (const wrong of ["limit", "=5", "size=5", "limit=five"]) {
      await expect(checkFile(path, [wrong])).rejects.toMatchObject({ code: "TMC6505" });
    }
  });

  it("may be TypeScript or JSON", async () => {
    const description = { workflow: "w", steps: [{ name: "a", operation: "node.monitor" }] };
    const source = `interface Unused { a: number }\nexport const workflow: object = ${JSON.stringify(description)};\n`;
    expect(await loadWorkflow(file("w.ts", source))).toEqual(description);
    // Its own files too, by any of the usual specifiers; what is only a type is left out.
    mkdirSync(join(folder, "parts"), { recursive: true });
    file("parts/name.ts", 'export * from "../common.js";');
    file("common.ts", "export enum Name { w = 'w' }");
    file("types.ts", "export interface Named { readonly workflow: string }");
    const split = `import type { Named } from "./types";\nimport { Name } from "./parts/name.ts";\nconst named: Named = { workflow: Name.w };\nexport const workflow = { ...named, steps: [] };`;
    expect(await loadWorkflow(file("split.ts", split))).toEqual({ workflow: "w", steps: [] });
    expect(readdirSync(join(folder, "parts"))).toEqual(["name.ts"]);
    expect(await loadWorkflow(file("w.json", JSON.stringify(description)))).toEqual(description);
    expect(readdirSync(folder).filter((name) => name.endsWith(".mjs"))).toEqual([]);
  });

  it("that cannot be read are errors with a code", async () => {
    const bomb = `a: &a [x]\n${Array.from({ length: 30 }, (_, i) => `b${String(i)}: &b${String(i)} [${"*a, ".repeat(20)}*a]`).join("\n")}\n`;
    const wrong: [string, string, string][] = [
      ["none.yaml", "", "TMC6501"],
      ["flow.txt", "workflow: w", "TMC6501"],
      ["tabs.yaml", "workflow: w\n\tsteps: []", "TMC6502"],
      ["braces.yaml", "a: { name: ${inputs.data} }", "TMC6502"],
      ["bomb.yaml", bomb, "TMC6502"],
      ["nothing.ts", "export const flow = 1;", "TMC6503"],
      ["broken.ts", "export const workflow = nothing.at.all;", "TMC6503"],
      ["lost.ts", 'import { x } from "./nowhere.js"; export const workflow = x;', "TMC6503"],
    ];
    for (const [name, content, code] of wrong) {
      const path = content === "" ? join(folder, name) : file(name, content);
      await expect(loadWorkflow(path), name).rejects.toMatchObject({ code });
    }
  });
});

describe("defineWorkflow", () => {
  it("knows operations and arguments", () => {
    const workflow = defineWorkflow({
      workflow: "w",
      steps: [
        {
          name: "train",
          operation: "model.train",
          arguments: { name: "m", data: "${inputs.data}", epochs: 3 },
        },
        // @ts-expect-error no such argument
        { name: "split", operation: "data.split", arguments: { name: "d", trainin: 1, training: 1 } },
        // @ts-expect-error no such operation
        { name: "dream", operation: "model.dream" },
      ],
    });
    expect(workflow.steps.length).toBe(3);
  });
});

it("docs/workflow.schema.json is made from the schema: `npx tsx scripts/docs-workflow-schema.ts`", () => {
  const text = readFileSync(packagePath("docs", "workflow.schema.json"), "utf8");
  expect(JSON.parse(text)).toEqual(z.toJSONSchema(workflowSchema, { io: "input" }));
});
