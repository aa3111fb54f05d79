/**
 * `npm run bench:footprint`: flash and RAM of the default node on b_l4s5i_iot01a against an application of nothing but
 * Zephyr (bench/footprint) with the same network features, board and settings. Buffers whose sizes the user chooses and the
 * model are counted apart, in both images. Builds both; needs a Zephyr workspace and runs nothing.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findBoard } from "../compiler/board/board.js";
import { readElf } from "../compiler/board/elf.js";
import { readLinkMap } from "../compiler/board/link-map.js";
import { packagePath } from "../compiler/board/package-root.js";
import { buildZephyr, type ZephyrImage } from "../compiler/board/zephyr/build.js";
import { findWorkspace } from "../compiler/board/zephyr/workspace.js";
import { buildApp } from "../compiler/cli/build-app.js";
import { ExitCode, UserError } from "../compiler/diagnostics/user-error.js";
import { compileProgram } from "../compiler/pipeline/compile.js";
import { apart, compare, measure, page, targets, withinTargets, type Measured } from "./footprint-table.js";

const boardName = "b_l4s5i_iot01a";
const help = `usage: npm run bench:footprint -- [options]

Builds the default node and bench/footprint (as Zephyr's calls give it, and with all network features of a node) for ${boardName}, and
prints what the node adds to Zephyr: a few minutes the first time.
Exit code 1 when it adds more than ${targets.flash} bytes of flash or ${targets.ram} of RAM, 5 without a Zephyr workspace.

  --zephyr DIR  the workspace, as of tmc build
  --write       put the table into docs/zephyr.md
  --json        the figures as JSON
  --top N       so many of the largest differences by object (default 12)
  --help        this text
`;

/**
 * The settings of a file of zephyr-app that are not tmc's. What mbedTLS leaves out of a node (MBEDTLS_USER_CONFIG) Zephyr's TLS
 * sockets need: they are servers too.
 */
function settingsOf(...file: string[]): string {
  const own = /^(#|CONFIG_(TMC_|MQTT_LIB_CUSTOM_TRANSPORT|MBEDTLS_USER_CONFIG))/;
  return readFileSync(packagePath("zephyr-app", ...file), "utf8")
    .split("\n")
    .filter((line) => !own.test(line))
    .join("\n");
}

async function buildNode(outDir: string, zephyrDir: string | undefined): Promise<ZephyrImage> {
  const result = compileProgram({
    entry: packagePath("firmware", "app.ts"),
    root: packagePath("."),
    checked: false,
    kind: "app",
  });
  if (!result.ok)
    throw new Error(result.diagnostics.map((each) => `${each.code} ${each.message}`).join("\n"));
  const { zephyr } = await buildApp({
    board: findBoard(boardName),
    compiled: result.compiled,
    outDir,
    zephyrDir,
    emit: "image",
    onProgress: () => undefined,
  });
  if (zephyr === undefined) throw new Error("there is no image");
  return zephyr;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      zephyr: { type: "string" },
      write: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      top: { type: "string", default: "12" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const found = await findWorkspace(values.zephyr === undefined ? {} : { dir: values.zephyr });
  if (found.kind === "missing") {
    process.stderr.write(`bench:footprint: ${found.missing.message}\n  ${found.missing.fix}\n`);
    return ExitCode.noWorkspace;
  }
  const folder = packagePath("build", "footprint");
  mkdirSync(folder, { recursive: true });
  const conf = join(folder, "bare.conf");
  writeFileSync(conf, [settingsOf("prj.conf"), settingsOf("boards", `${boardName}.conf`)].join("\n"));
  const build = (name: string, more: boolean): Promise<ZephyrImage> =>
    buildZephyr({
      workspace: found.workspace,
      board: findBoard(boardName),
      genDir: folder,
      sourceDir: packagePath("bench", "footprint"),
      outDir: join(folder, name),
      confFiles: [conf],
      config: { BARE_MORE: more },
    });
  const bare = await build("bare", false);
  const same = await build("same", true);
  const node = await buildNode(join(folder, "node"), values.zephyr);
  const measured = (image: ZephyrImage, parts: (typeof apart)["node"]): Measured =>
    measure(readElf(image.elf), readLinkMap(image.map), parts);
  const ours = measured(node, apart.node);
  const plain = compare(ours, measured(bare, apart.bare));
  const comparison = compare(ours, measured(same, apart.bare));
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ plain, same: comparison }, replaceMaps, 2)}\n`);
  } else {
    const { table, largest } = page(plain, comparison, Number(values.top));
    process.stdout.write(`${table}\n\n${largest}\n`);
    if (values.write) writeTable(`${table}\n\n${largest}`);
  }
  return withinTargets(comparison) ? 0 : 1;
}

function replaceMaps(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}

/** Between the marks in docs/zephyr.md. */
function writeTable(text: string): void {
  const file = packagePath("docs", "zephyr.md");
  const before = readFileSync(file, "utf8");
  const marks = /(<!-- footprint:[^\n]*-->\n)[\s\S]*(<!-- \/footprint -->)/;
  if (!marks.test(before)) throw new Error(`${file} has no place for the table`);
  writeFileSync(
    file,
    before.replace(marks, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`),
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`bench:footprint: ${error.code}: ${error.message}\n  ${error.fix}\n`);
  process.exitCode = error.exitCode;
}
