/** Messages about Local Storage (TMC62xx), for `tmc explain`. */
import type { CatalogueEntry } from "../../../compiler/diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC6201",
    title: "the storage is in use",
    rule: "One process at a time has a storage folder. The message names the process that has it; one that died does not block.",
    wrong: "tmc node start & tmc node start",
    right:
      "tmc node start --config a.yaml & tmc node start --config b.yaml   # each with its own storage.path",
  },
  {
    code: "TMC6202",
    title: "the storage cannot be opened",
    rule: "storage.path in node.yaml is a folder that this user can make and write, on a local file system (LMDB does not work over NFS).",
    wrong: "storage: { kind: local, path: /proc/data }",
    right: "storage: { kind: local, path: /var/lib/tmc }",
  },
  {
    code: "TMC6203",
    title: "the storage was written by another version",
    rule: "The file `format` in the folder names the layout of the rest. A storage is opened only by a version of tmc that knows its layout.",
    wrong: "storage: { kind: local, path: data-of-a-newer-tmc }",
    right: "storage: { kind: local, path: data }",
  },
];
