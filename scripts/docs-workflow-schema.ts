/** Writes docs/workflow.schema.json, with which editors check and complete workflow files. */
import { writeFileSync } from "node:fs";
import { z } from "zod";
import { packagePath } from "../compiler/board/package-root.js";
import { workflowSchema } from "../host/node/jobs/workflow/description.js";

const schema = z.toJSONSchema(workflowSchema, { io: "input" });
writeFileSync(packagePath("docs", "workflow.schema.json"), `${JSON.stringify(schema, undefined, 2)}\n`);
