/** `npm run docs:operators`: writes docs/model-operators.md from the tables of the model compiler. */
import { writeFileSync } from "node:fs";
import { packagePath } from "../compiler/board/package-root.js";
import { operatorsPage, renderOperatorsPage, supportReport } from "../compiler/model/support-report.js";

writeFileSync(packagePath(operatorsPage), renderOperatorsPage(supportReport()));
