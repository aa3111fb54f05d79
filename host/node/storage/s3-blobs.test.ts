import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { collect, describeBlobs, digestOf } from "../../../test/storage/storage-suite.js";
import { startS3, type S3Service } from "../../../test/support/s3-server.js";
import { openS3Blobs, S3Blobs } from "./s3-blobs.js";
import { createS3Client } from "./s3-client.js";

let service: S3Service;
beforeAll(async () => {
  service = await startS3();
});
afterAll(async () => {
  await service.stop();
});

describe("blobs in S3", () => {
  let blobs: S3Blobs;
  beforeAll(() => {
    blobs = new S3Blobs(createS3Client(service.options), service.options);
  });
  afterAll(async () => {
    for (const { digest } of await blobs.list()) await blobs.delete(digest);
    blobs.close();
  });

  describeBlobs(
    () => blobs,
    () => {
      blobs.close();
      blobs = new S3Blobs(createS3Client(service.options), service.options);
      return Promise.resolve();
    },
    async (digest) => {
      const client = createS3Client(service.options);
      const Key = `${service.options.prefix}${digest}`;
      await client.send(new PutObjectCommand({ Bucket: service.options.bucket, Key, Body: "damaged" }));
      client.destroy();
    },
  );

  it("sends large ones in parts, from memory and from a stream", async () => {
    const bytes = randomBytes(20_000_000);
    const digest = digestOf(bytes);
    const stream = async function* (): AsyncIterable<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 3_000_000) {
        await Promise.resolve();
        yield bytes.subarray(at, at + 3_000_000);
      }
    };
    for (const source of [bytes, stream()]) {
      expect(await blobs.put(source)).toEqual({ digest, bytes: bytes.length });
      const found = await collect(await blobs.read(digest, 8_000_000, 17_000_000));
      expect(Buffer.from(found).equals(bytes.subarray(8_000_000, 17_000_000))).toBe(true);
      expect(Buffer.from((await blobs.get(digest))!).equals(bytes)).toBe(true);
      expect(await blobs.delete(digest)).toBe(true);
    }
  });

  it("leaves other objects of the bucket alone", async () => {
    const { bucket, prefix } = service.options;
    const client = createS3Client(service.options);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}0-notes.txt`, Body: "x" }));
    expect((await blobs.list()).every((info) => /^[0-9a-f]{64}$/.test(info.digest))).toBe(true);
    client.destroy();
  });

  it("is refused with the reason when the keys are wrong", async ({ skip }) => {
    if (!service.checksSignatures) skip("s3rver does not check them");
    const wrong = { ...service.options, secretKey: "wrong" };
    await expect(openS3Blobs(wrong)).rejects.toMatchObject({ code: "TMC6205" });
  });

  it("is refused with the reason when the bucket or the service is not there", async () => {
    const { store, description, close } = await openS3Blobs(service.options);
    expect(await store.stat("0".repeat(64))).toBeUndefined();
    expect(description).not.toContain(service.options.secretKey);
    close();
    await expect(openS3Blobs({ ...service.options, bucket: "not-there" })).rejects.toMatchObject({
      code: "TMC6205",
    });
    await expect(
      openS3Blobs({ ...service.options, endpoint: "http://127.0.0.1:1", attempts: 1 }),
    ).rejects.toMatchObject({ code: "TMC6205" });
  });
});

describe("a service with troubles", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  /** Blobs at a server that answers as `reply` says. */
  async function at(
    reply: (request: IncomingMessage, response: ServerResponse) => void,
    deadlineMs = 3000,
  ): Promise<S3Blobs> {
    server = createServer((request, response) => {
      request.resume().on("end", () => {
        reply(request, response);
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const options = { ...service.options, endpoint: `http://127.0.0.1:${port}`, attempts: 2, deadlineMs };
    return new S3Blobs(createS3Client(options), options);
  }
  const failure = (code: string): string => `<Error><Code>${code}</Code><Message>m</Message></Error>`;

  it("is asked again when it fails, but not for ever", async () => {
    let requests = 0;
    const blobs = await at((_, response) => {
      requests++;
      if (requests === 1) response.writeHead(503).end(failure("SlowDown"));
      else response.writeHead(200, { "content-length": "5" }).end();
    });
    expect(await blobs.stat("1".repeat(64))).toMatchObject({ bytes: 5 });
    expect(requests).toBe(2);
    requests = -100;
    const other = await at((_, response) => {
      requests++;
      response.writeHead(500).end(failure("InternalError"));
    });
    await expect(other.get("1".repeat(64))).rejects.toMatchObject({ code: "unavailable" });
    expect(requests).toBe(-98);
  });

  it("says no-space for a full service", async () => {
    const blobs = await at((_, response) => response.writeHead(507).end(failure("XMinioStorageFull")));
    await expect(blobs.put(new Uint8Array(10))).rejects.toMatchObject({ code: "no-space" });
  });

  it("gives up at the deadline when there is no answer", async () => {
    const blobs = await at(() => undefined, 300);
    await expect(blobs.get("1".repeat(64))).rejects.toMatchObject({ code: "unavailable" });
  });

  it("notices bytes that are missing", async () => {
    const blobs = await at((request, response) => {
      if (request.method === "HEAD") response.writeHead(200, { "content-length": "1000" }).end();
      else
        response
          .writeHead(206, { "content-length": "1000" })
          .write(Buffer.alloc(500), () => response.destroy());
    });
    const pieces = await blobs.read("1".repeat(64));
    await expect(collect(pieces)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("gives up its parts when one of them fails", async () => {
    const seen: string[] = [];
    const blobs = await at((request, response) => {
      const url = new URL(request.url ?? "", "http://x");
      seen.push(
        `${request.method ?? ""} ${[...url.searchParams.keys()].filter((key) => key !== "x-id").join()}`,
      );
      if (request.method === "POST") {
        response.end("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
      } else if (request.method === "DELETE") response.writeHead(204).end();
      else response.writeHead(400).end(failure("XAmzContentChecksumMismatch"));
    });
    await expect(blobs.put(new Uint8Array(17_000_000))).rejects.toMatchObject({ code: "corrupt" });
    expect(seen).toEqual(["POST uploads", "PUT partNumber,uploadId", "DELETE uploadId"]);
  });
});
