/** Lowers the library once for all programs (`library-image.ts`). Part of building tmc. */
import path from "node:path";
import { packageRoot } from "../board/package-root.js";
import { runFrontend } from "./frontend.js";
import { writeLibraryImage } from "./library-image.js";
import { firmwareRoot } from "./project.js";
import { FrontendCache } from "./reuse.js";

/** @throws Error when the library has errors. */
export function writeLibrary(): void {
  const cache = new FrontendCache(() => undefined);
  const { project } = runFrontend(path.join(firmwareRoot(), "index.ts"), packageRoot(), undefined, cache);
  writeLibraryImage(cache.image(project));
}
