/**
 * An S3-compatible service for tests: the one that the environment names (TMC_S3_ENDPOINT with TMC_S3_BUCKET,
 * AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or s3rver in this process. What a test writes has a prefix of its own.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Options } from "../../host/node/storage/s3-client.js";

/** What we use of s3rver, which has no types. */
interface Server {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}
type ServerClass = new (options: Readonly<Record<string, unknown>>) => Server;

export interface S3Service {
  /** s3rver reckons the signatures of requests for whole buckets otherwise than everybody else. */
  readonly checksSignatures: boolean;
  readonly options: S3Options;
  stop(): Promise<void>;
}

export async function startS3(): Promise<S3Service> {
  const prefix = `test-${randomUUID()}/`;
  const { TMC_S3_ENDPOINT, TMC_S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  if (TMC_S3_ENDPOINT !== undefined) {
    return {
      checksSignatures: true,
      options: {
        endpoint: TMC_S3_ENDPOINT,
        bucket: TMC_S3_BUCKET ?? "tmc",
        region: "us-east-1",
        prefix,
        accessKey: AWS_ACCESS_KEY_ID ?? "",
        secretKey: AWS_SECRET_ACCESS_KEY ?? "",
      },
      stop: () => Promise.resolve(),
    };
  }
  const S3rver = createRequire(import.meta.url)("@20minutes/s3rver") as ServerClass;
  const directory = mkdtempSync(join(tmpdir(), "tmc-s3-"));
  const configureBuckets = [{ name: "tmc-test" }];
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory,
    configureBuckets,
    allowMismatchedSignatures: true,
  });
  const { port } = await server.run();
  return {
    checksSignatures: false,
    options: {
      endpoint: `http://127.0.0.1:${port}`,
      bucket: "tmc-test",
      region: "us-east-1",
      prefix,
      accessKey: "S3RVER",
      secretKey: "S3RVER",
    },
    async stop() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
