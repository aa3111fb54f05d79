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
  {
    code: "TMC6204",
    title: "Redis cannot be reached",
    rule: "The node starts only when its storage answers. storage.url names a Redis of version 7 or newer; `rediss:` asks for TLS. The password can come from the environment variable that storage.passwordFrom names.",
    wrong: "storage: { kind: redis, url: 'redis://localhost:6380' }   # nothing listens there",
    right: "storage: { kind: redis, url: 'redis://localhost:6379' }",
  },
  {
    code: "TMC6205",
    title: "the bucket cannot be used",
    rule: "The node starts only when its storage answers. storage.blobs names the URL of an S3-compatible service and a bucket that exists and that the keys may read, write and list.",
    wrong: "blobs: { kind: s3, endpoint: 'http://localhost:9000', bucket: not-made-yet }",
    right: "blobs: { kind: s3, endpoint: 'http://localhost:9000', bucket: tmc }",
  },
  {
    code: "TMC6206",
    title: "a secret of the storage is missing",
    rule: "Passwords and keys are not written into node.yaml: it names environment variables, and they must be set where the node is started.",
    wrong: "tmc node start   # with passwordFrom: REDIS_PASSWORD",
    right: "REDIS_PASSWORD=… tmc node start",
  },
  {
    code: "TMC6207",
    title: "this Redis is a cache",
    rule: "With a maxmemory-policy of allkeys-… Redis removes any key when its memory is full, so it cannot be the storage of a node. With noeviction it refuses writes instead, and the node answers no-space.",
    wrong: "redis-server --maxmemory 1gb --maxmemory-policy allkeys-lru",
    right: "redis-server --maxmemory 1gb --maxmemory-policy noeviction --appendonly yes --appendfsync always",
  },
];
