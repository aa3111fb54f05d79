/** Three processes, or so many as there are lists of URLs, that are the workers of one server. */
import { packagePath } from "../../compiler/board/package-root.js";
import type { S3Options } from "../../host/node/storage/s3-client.js";
import { Child } from "../support/child.js";

export interface WorkersOptions {
  /** Of each worker: the servers of the broker, with commas between them. */
  readonly urls: readonly string[];
  readonly redis: string;
  /** For their state. */
  readonly folder: string;
  /** Where blobs are; else in Redis. */
  readonly s3?: S3Options;
}

/** They run. */
export async function startWorkers({ urls, redis, folder, s3 }: WorkersOptions): Promise<Child[]> {
  const loader = import.meta.resolve("tsx");
  const file = packagePath("test", "scale-out", "worker.ts");
  const workers: Child[] = [];
  for (const [i, url] of urls.entries()) {
    const args = ["--import", loader, file, `w${i}`, url, redis, folder];
    const env: Record<string, string> = s3 === undefined ? {} : { TMC_TEST_S3: JSON.stringify(s3) };
    const options = { name: `worker ${i}`, cwd: packagePath(), env };
    workers.push(await Child.start(process.execPath, args, options));
  }
  await Promise.all(workers.map((each, i) => each.waitForLine(`worker w${i} runs`, 60_000)));
  return workers;
}
