/**
 * The files of the page, in memory: no path of a request ever becomes a path of the disk. A build has them in dist;
 * sources are bundled when they are first asked for.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Asset {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

const types = {
  "index.html": "text/html; charset=utf-8",
  "app.js": "text/javascript; charset=utf-8",
  "app.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;
type Name = keyof typeof types;
const names = Object.keys(types) as Name[];

const here = dirname(fileURLToPath(import.meta.url));
const web = join(here, "..", "web");

let loaded: Promise<ReadonlyMap<string, Asset>> | undefined;

/** By path: "/", "/app.js" … */
export function webAssets(): Promise<ReadonlyMap<string, Asset>> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<ReadonlyMap<string, Asset>> {
  const files = import.meta.url.endsWith(".ts") ? await bundle(web) : fromDisk();
  return new Map(
    names.map((name) => {
      const body = files[name];
      const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
      return [name === "index.html" ? "/" : `/${name}`, { type: types[name], body, etag }];
    }),
  );
}

type Files = Readonly<Record<Name, Uint8Array<ArrayBuffer>>>;

function fromDisk(): Files {
  return Object.fromEntries(
    names.map((name) => [name, new Uint8Array(readFileSync(join(web, name)))]),
  ) as Files;
}

/** The files, bundled from the sources in `from`. */
async function bundle(from: string): Promise<Files> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: { app: join(from, "app.tsx") },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: "out",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "silent",
  });
  const file = (suffix: string): Uint8Array<ArrayBuffer> =>
    new Uint8Array(outputFiles.find((each) => each.path.endsWith(suffix))?.contents ?? []);
  return {
    "index.html": new Uint8Array(readFileSync(join(from, "index.html"))),
    "icon.svg": new Uint8Array(readFileSync(join(from, "icon.svg"))),
    "app.js": file(".js"),
    "app.css": file(".css"),
  };
}

/** A step of `npm run build`: the sources of `from` to files in dist. */
export async function writeWebAssets(from: string): Promise<void> {
  const files = await bundle(from);
  mkdirSync(web, { recursive: true });
  for (const name of names) writeFileSync(join(web, name), files[name]);
}
