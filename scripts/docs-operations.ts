/** `npm run docs:operations`: writes docs/operations.md, the last part of docs/protocol.cddl, the keys in docs/node.md. */
import { readFileSync, writeFileSync } from "node:fs";
import { packagePath } from "../compiler/board/package-root.js";
import {
  operationsPage,
  protocolSchema,
  renderOperationsPage,
  renderProtocolSchema,
} from "../host/bus/operations/operations-page.js";
import { nodePage, renderNodePage } from "../host/node/config-page.js";

writeFileSync(packagePath(operationsPage), renderOperationsPage());
const schema = packagePath(protocolSchema);
writeFileSync(schema, renderProtocolSchema(readFileSync(schema, "utf8")));
const node = packagePath(nodePage);
writeFileSync(node, renderNodePage(readFileSync(node, "utf8")));
