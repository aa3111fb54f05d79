/**
 * Blobs as objects of an S3-compatible service (AWS, MinIO, Ceph …), named by their digest. The service checks the
 * SHA-256 of what it receives, and an object appears as a whole; large ones go in parts.
 */
import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from "@aws-sdk/client-s3";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import { checkLimit, defaultPage, isDigest } from "./names.js";
import { createS3Client, isAbsent, s3Error, type S3Options } from "./s3-client.js";
import { spool, type Spool } from "./spool.js";
import type { BlobInfo, BlobStore, ForeignBlobs } from "./storage.js";
import { StorageError } from "./storage.js";

/** Bytes of a part; at least 5 MiB by the rules of S3, and at most 10,000 parts. */
const partBytes = 8 * 1024 * 1024;
/** Objects up to this go in one request. */
const singleBytes = 16 * 1024 * 1024;

/** @throws UserError TMC6205 when the bucket cannot be used */
export async function openS3Blobs(options: S3Options): Promise<ForeignBlobs> {
  const description = `S3 bucket ${options.bucket} at ${new URL(options.endpoint).host}`;
  const client = createS3Client(options);
  try {
    await client.send(new HeadBucketCommand({ Bucket: options.bucket }), {
      abortSignal: AbortSignal.timeout(15_000),
    });
  } catch (error) {
    client.destroy();
    throw new UserError(
      "TMC6205",
      `the storage of blobs cannot be opened: ${s3Error(error, `use the ${description}`).message}`,
      "make the bucket, and check endpoint, region and keys of storage.blobs in node.yaml",
      ExitCode.failed,
    );
  }
  const store = new S3Blobs(client, options);
  return {
    store,
    description,
    close() {
      store.close();
    },
  };
}

export class S3Blobs implements BlobStore {
  constructor(
    private readonly client: S3Client,
    private readonly options: S3Options,
  ) {}

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly digest?: string; readonly limit?: number } = {},
  ): Promise<BlobInfo> {
    const content = await spool(source, options.limit ?? Infinity);
    try {
      const { digest, bytes } = content;
      if (options.digest !== undefined && options.digest !== digest) {
        throw new StorageError("corrupt", `the bytes have the digest ${digest}, not the stated one`);
      }
      if (bytes <= singleBytes) await this.putWhole(content);
      else await this.putParts(content);
      return { digest, bytes };
    } finally {
      await content.close();
    }
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    if (!isDigest(digest)) return undefined;
    const bytes = await this.request("read a blob", async (abortSignal) => {
      const { Body } = await this.client.send(new GetObjectCommand(this.object(digest)), { abortSignal });
      return Body?.transformToByteArray();
    });
    if (bytes !== undefined && createHash("sha256").update(bytes).digest("hex") !== digest) {
      throw new StorageError("corrupt", `the bytes of blob ${digest} have changed in the bucket`);
    }
    return bytes;
  }

  async read(digest: string, start = 0, end = Infinity): Promise<AsyncIterable<Uint8Array> | undefined> {
    const info = await this.stat(digest);
    return info && this.pieces(digest, Math.max(0, start), Math.min(end, info.bytes));
  }

  async stat(digest: string): Promise<BlobInfo | undefined> {
    if (!isDigest(digest)) return undefined;
    const head = await this.request("look for a blob", (abortSignal) =>
      this.client.send(new HeadObjectCommand(this.object(digest)), { abortSignal }),
    );
    return head && { digest, bytes: head.ContentLength ?? 0 };
  }

  async delete(digest: string): Promise<boolean> {
    // The service does not say whether there was one.
    if ((await this.stat(digest)) === undefined) return false;
    await this.request("delete a blob", (abortSignal) =>
      this.client.send(new DeleteObjectCommand(this.object(digest)), { abortSignal }),
    );
    return true;
  }

  async list(after = "", limit = defaultPage): Promise<BlobInfo[]> {
    checkLimit(limit);
    const found: BlobInfo[] = [];
    const { bucket, prefix } = this.options;
    for (let from = `${prefix}${after}`; found.length < limit;) {
      const page = await this.request("list blobs", (abortSignal) => {
        const place = { Bucket: bucket, Prefix: prefix, ...(from === "" ? {} : { StartAfter: from }) };
        return this.client.send(new ListObjectsV2Command(place), { abortSignal });
      });
      for (const { Key = "", Size = 0 } of page?.Contents ?? []) {
        const digest = Key.slice(prefix.length);
        if (isDigest(digest)) found.push({ digest, bytes: Size });
        from = Key;
      }
      if (page?.IsTruncated !== true) break;
    }
    return found.slice(0, limit);
  }

  close(): void {
    this.client.destroy();
  }

  private object(digest: string): { Bucket: string; Key: string } {
    return { Bucket: this.options.bucket, Key: `${this.options.prefix}${digest}` };
  }

  private async putWhole(content: Spool): Promise<void> {
    const Body = await content.read(0, content.bytes);
    const ChecksumSHA256 = Buffer.from(content.digest, "hex").toString("base64");
    const ContentType = "application/octet-stream";
    await this.request("keep a blob", (abortSignal) =>
      this.client.send(
        new PutObjectCommand({ ...this.object(content.digest), Body, ChecksumSHA256, ContentType }),
        { abortSignal },
      ),
    );
  }

  private async putParts(content: Spool): Promise<void> {
    const object = this.object(content.digest);
    const begun = await this.request("keep a blob", (abortSignal) =>
      this.client.send(new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm: "SHA256" }), {
        abortSignal,
      }),
    );
    const upload = { ...object, UploadId: begun?.UploadId };
    try {
      const parts: CompletedPart[] = [];
      for (let at = 0; at < content.bytes; at += partBytes) {
        const Body = await content.read(at, Math.min(content.bytes, at + partBytes));
        const ChecksumSHA256 = createHash("sha256").update(Body).digest("base64");
        const PartNumber = parts.length + 1;
        const part = await this.request("keep a blob", (abortSignal) =>
          this.client.send(new UploadPartCommand({ ...upload, Body, PartNumber, ChecksumSHA256 }), {
            abortSignal,
          }),
        );
        if (part === undefined) throw new StorageError("unavailable", "the upload of a blob is gone");
        parts.push({ PartNumber, ETag: part.ETag, ChecksumSHA256 });
      }
      await this.request("keep a blob", (abortSignal) =>
        this.client.send(
          new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
          {
            abortSignal,
          },
        ),
      );
    } catch (error) {
      // What stays all the same is removed by the bucket's lifecycle rule (docs/storage.md).
      await this.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    }
  }

  private async *pieces(digest: string, start: number, end: number): AsyncIterable<Uint8Array> {
    if (start >= end) return;
    const Range = `bytes=${start}-${end - 1}`;
    const reply = await this.request("read a blob", (abortSignal) =>
      this.client.send(new GetObjectCommand({ ...this.object(digest), Range }), { abortSignal }),
    );
    if (reply?.Body === undefined) throw new StorageError("unavailable", "the blob was deleted meanwhile");
    let left = end - start;
    try {
      for await (const piece of reply.Body as AsyncIterable<Uint8Array>) {
        // Not more than was asked for, whatever comes.
        const wanted = piece.subarray(0, left);
        left -= wanted.length;
        yield wanted;
        if (left === 0) break;
      }
    } catch (error) {
      throw s3Error(error, "read a blob");
    }
    if (left !== 0) throw new StorageError("corrupt", `blob ${digest} ended ${left} bytes early`);
  }

  /** Undefined when there is no such object. @throws StorageError */
  private async request<T>(what: string, send: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    try {
      return await send(AbortSignal.timeout(this.options.deadlineMs ?? 60_000));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw s3Error(error, what);
    }
  }
}
