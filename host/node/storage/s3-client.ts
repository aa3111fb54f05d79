/** Requests to an S3-compatible service: deadlines, bounded repetition, and its errors as StorageError. */
import { S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import { errorCode } from "./storage-errors.js";
import { StorageError } from "./storage.js";

export interface S3Options {
  /** URL of the service. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** Before the digest in the name of each object. */
  readonly prefix: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Times a request is tried; default 4. */
  readonly attempts?: number;
  /** ms until one request is given up, its repetitions included; default 60 s. */
  readonly deadlineMs?: number;
}

export function createS3Client(options: S3Options): S3Client {
  const { endpoint, region, accessKey, secretKey, attempts = 4 } = options;
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    // Only AWS has a name for each bucket.
    forcePathStyle: !new URL(endpoint).hostname.endsWith(".amazonaws.com"),
    maxAttempts: attempts,
    // Checksums are stated by us; others do not know the trailers that the client would add.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: 5000, socketTimeout: 30_000 },
  });
}

/** HTTP says that there is no such thing. */
export function isAbsent(error: unknown): boolean {
  return (
    error instanceof S3ServiceException &&
    error.$metadata.httpStatusCode === 404 &&
    error.name !== "NoSuchBucket"
  );
}

const fullNames: ReadonlySet<string> = new Set([
  "QuotaExceeded",
  "InsufficientStorage",
  "XMinioStorageFull",
  "XMinioAdminBucketQuotaExceeded",
]);

/** Any error of a request as a StorageError. Without its cause, which holds the whole connection. */
export function s3Error(error: unknown, what: string): StorageError {
  if (error instanceof StorageError) return error;
  const name = error instanceof Error ? error.name : "";
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  // Many errors of connections have no text but their code.
  const code = errorCode(error);
  const message = error instanceof Error && error.message !== "" ? error.message : String(code ?? error);
  const text = `cannot ${what}: ${name} ${message}`;
  if (fullNames.has(name) || status === 507) return new StorageError("no-space", text);
  if (
    name === "BadDigest" ||
    name === "XAmzContentChecksumMismatch" ||
    name === "XAmzContentSHA256Mismatch"
  ) {
    return new StorageError("corrupt", text);
  }
  return new StorageError("unavailable", text);
}
