/** Which names `entry(name, handler)` may give: each becomes the C function `tmc_<name>`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packagePath } from "../board/package-root.js";

/** The entries that ports call (tmc/port.h). */
const portEntries: ReadonlySet<string> = new Set([
  "app_start",
  "app_connected",
  "app_disconnected",
  "app_message",
  "app_tick",
  "app_trap",
]);

let declared: ReadonlySet<string> | undefined;

/** Everything that the headers of the run-time library call tmc_…. */
function runtimeNames(): ReadonlySet<string> {
  if (declared === undefined) {
    const folder = packagePath("runtime-c", "include", "tmc");
    const text = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("\n");
    declared = new Set(text.match(/\btmc_\w+/g) ?? []);
  }
  return declared;
}

/** Why `name` cannot be the name of an entry, with the fix; undefined when it can. `earlier`: names already taken. */
export function refusedEntryName(
  name: string,
  earlier: ReadonlySet<string>,
): { readonly message: string; readonly fix: string } | undefined {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(name)) {
    return {
      message: `${JSON.stringify(name)} cannot be the name of an entry: it becomes a C function`,
      fix: "write 1 to 31 characters of a-z, 0-9 and _, starting with a letter",
    };
  }
  if (earlier.has(name)) {
    return {
      message: `the entry "${name}" is registered twice`,
      fix: "register one handler that calls both",
    };
  }
  if (portEntries.has(name)) return undefined;
  const isPorts = name.startsWith("app_") || name.startsWith("program_");
  if (isPorts || runtimeNames().has(`tmc_${name}`)) {
    return {
      message: `the entry "${name}" would be the C function tmc_${name}, which is not the program's`,
      fix: "choose another name",
    };
  }
  return undefined;
}
