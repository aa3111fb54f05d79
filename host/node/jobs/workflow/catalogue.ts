/** Messages about workflows (TMC65xx), for `tmc explain`. */
import type { CatalogueEntry } from "../../../../compiler/diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC6501",
    title: "no such workflow file",
    rule: "A workflow is a .yaml, .yml, .json or .ts file; its path is relative to the current folder.",
    wrong: "tmc workflow check flow.txt",
    right: "tmc workflow check flow.yaml",
  },
  {
    code: "TMC6502",
    title: "the workflow is not YAML",
    rule: "The message names the line. References contain braces: inside { } and [ ] they are written in quotes.",
    wrong: "arguments: { name: ${inputs.data} }",
    right: 'arguments: { name: "${inputs.data}" }',
  },
  {
    code: "TMC6503",
    title: "the workflow module cannot be used",
    rule: "A .ts file is compiled, with the .ts files that it imports by path, and executed on Node.js; types are not checked. It exports its description as `workflow`.",
    wrong: 'const flow = { workflow: "w", steps: [] };',
    right: 'export const workflow = defineWorkflow({ workflow: "w", steps: […] });',
  },
  {
    code: "TMC6504",
    title: "the workflow has mistakes",
    rule: "All of a workflow is checked before its first step: schema, operations, arguments, references and their types, cycles, and, with a node, whether somebody can do each step and the data sets and models that it names are there. Every finding has its place, such as steps[2].arguments.name.",
    wrong: "steps:\n  - { name: train, operation: model.trian }",
    right: "steps:\n  - { name: train, operation: model.train, arguments: { name: m, data: d } }",
  },
  {
    code: "TMC6505",
    title: "not an input of the workflow",
    rule: "`--input` gives an input that the workflow declares, as name=value. Values of type string are taken as they are, others are read as JSON.",
    wrong: "tmc workflow run flow.yaml --input epochs:20",
    right: "tmc workflow run flow.yaml --input epochs=20",
  },
];
