// Exit code 0 when node_modules holds exactly the versions of package-lock.json, 1 when `npm ci` is needed.
// Needs nothing but Node.js. Packages that are optional (other platforms) may be absent.
import { readFileSync } from "node:fs";

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(new URL(`../${file}`, import.meta.url), "utf8")).packages;
  } catch {
    return undefined;
  }
}

const wanted = packagesOf("package-lock.json");
const installed = packagesOf("node_modules/.package-lock.json");
const fresh =
  wanted !== undefined &&
  installed !== undefined &&
  Object.entries(wanted).every(([path, entry]) => {
    if (path === "") {
      return true;
    }
    const present = installed[path];
    return present === undefined ? entry.optional === true : present.version === entry.version;
  });
process.exitCode = fresh ? 0 : 1;
