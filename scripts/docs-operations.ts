/** `npm run docs:operations`: writes docs/operations.md and the last part of docs/protocol.cddl. */
import { readFileSync, writeFileSync } from "node:fs";
import { packagePath } from "../compiler/board/package-root.js";
import {
  operationsPage,
  protocolSchema,
  renderOperationsPage,
  renderProtocolSchema,
} from "../host/bus/operations/operations-page.js";

writeFileSync(packagePath(operationsPage), renderOperationsPage());
const schema = packagePath(protocolSchema);
writeFileSync(schema, renderProtocolSchema(readFileSync(schema, "utf8")));
