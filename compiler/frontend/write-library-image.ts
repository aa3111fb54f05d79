/** The last step of building tmc: lowers the library once for all programs (`library-image.ts`). Run as a program. */
import path from "node:path";
import { packageRoot } from "../board/package-root.js";
import { runFrontend } from "./frontend.js";
import { writeLibraryImage } from "./library-image.js";
import { firmwareRoot } from "./project.js";
import { FrontendCache } from "./reuse.js";

const cache = new FrontendCache(() => undefined);
const { project } = runFrontend(path.join(firmwareRoot(), "index.ts"), packageRoot(), undefined, cache);
writeLibraryImage(cache.image(project));
