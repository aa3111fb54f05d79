/** Entry of the command line for tests: runs the TypeScript sources, so that no stale dist/ can be tested by mistake. */
import { main } from "../../compiler/cli/main.js";

process.exitCode = await main(process.argv.slice(2));
