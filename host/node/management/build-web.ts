/** A step of `npm run build`, a program of its own: bundles the page into dist. */
import { packagePath } from "../../../compiler/board/package-root.js";
import { writeWebAssets } from "./web-assets.js";

await writeWebAssets(packagePath("host", "node", "web"));
