/** `npm run docs:openapi`: writes docs/openapi.json from the schemas of the management interface. */
import { writeFileSync } from "node:fs";
import { packagePath } from "../compiler/board/package-root.js";
import { apiDocument } from "../host/node/management/management.js";
import { openApiFile, renderOpenApi } from "../host/node/management/openapi.js";

writeFileSync(packagePath(openApiFile), renderOpenApi(apiDocument()));
