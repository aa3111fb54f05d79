/** `npm run docs:diagnostics`: writes docs/diagnostics.md from the catalogues. */
import { writeFileSync } from "node:fs";
import { packagePath } from "../compiler/board/package-root.js";
import { allEntries } from "../compiler/cli/all-catalogues.js";
import { diagnosticsPage, renderDiagnosticsPage } from "../compiler/cli/diagnostics-page.js";

writeFileSync(packagePath(diagnosticsPage), renderDiagnosticsPage(await allEntries()));
