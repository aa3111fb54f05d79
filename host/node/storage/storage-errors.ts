/** What the operating system and LMDB say, as the errors of Local Storage. */
import { StorageError } from "./storage.js";

/** Error numbers of LMDB (lmdb.h) and of Linux, as the `lmdb` package gives them. */
const fullNumbers: ReadonlySet<unknown> = new Set([-30792, -30788, 28, 122, 27]);
const corruptNumbers: ReadonlySet<unknown> = new Set([-30797, -30796, -30793]);
/** EFBIG: a limit on the size of files (`ulimit -f`) is a full disk to us. */
const fullNames: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Any error as a StorageError; `what` could not be done, e.g. "keep a blob". */
export function storageError(error: unknown, what: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  const text = `cannot ${what}: ${error instanceof Error ? error.message : String(error)}`;
  if (fullNames.has(code) || fullNumbers.has(code) || /MDB_(MAP|TXN)_FULL|ENOSPC|No space left/.test(text)) {
    return new StorageError("no-space", text, { cause: error });
  }
  if (corruptNumbers.has(code) || /MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID)/.test(text)) {
    return new StorageError("corrupt", text, { cause: error });
  }
  return new StorageError("unavailable", text, { cause: error });
}

/** The `code` of an error of Node.js, e.g. "ENOENT". */
export function errorCode(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
