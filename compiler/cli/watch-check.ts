/** `tmc check --watch`: checks, waits for a change of a source, checks again, until Ctrl-C. */
import { existsSync, watch, type FSWatcher } from "node:fs";
import { dirname } from "node:path";
import { packagePath } from "../board/package-root.js";
import { summarize } from "../diagnostics/format-diagnostics.js";
import { CheckSession, type CheckOutcome } from "../pipeline/check-session.js";
import { checkDocument, formatCheck } from "./check-formats.js";

export interface WatchOptions {
  /** Absolute paths. */
  readonly entries: readonly string[];
  readonly root: string;
  /** json: one document a line, for each check. */
  readonly format: "text" | "json";
}

/** Editors write a file in several steps; one check answers them all. */
const settleMs = 20;

/** What a check depends on; other files in the same folders (logs, builds) change without one. */
const isSource = (name: string): boolean => /\.(ts|tflite)$|^tmc\.json$/.test(name);

/** Resolves when the process is told to end (SIGINT, SIGTERM). @throws what is a bug of ours. */
export async function watchAndCheck(options: WatchOptions): Promise<void> {
  const session = new CheckSession(options);
  const folders = new Folders();
  try {
    for (;;) {
      const start = performance.now();
      const outcome = session.check();
      // Watched before it is printed: whoever reads the answer may change a file at once.
      folders.follow(outcome.files.map(dirname));
      await print(outcome, options, Math.round(performance.now() - start));
      if ((await folders.next()) === "ended") return;
    }
  } finally {
    folders.close();
  }
}

async function print(outcome: CheckOutcome, options: WatchOptions, ms: number): Promise<void> {
  if (options.format === "json") {
    const { ok, diagnostics } = checkDocument(outcome.diagnostics, options.root);
    const { problems } = outcome;
    process.stdout.write(
      `${JSON.stringify({ ok: ok && problems.length === 0, diagnostics, problems, ms })}\n`,
    );
    return;
  }
  const problems = outcome.problems.map(
    (p) => `error ${p.code}: ${p.message}\n${p.fix === "" ? "" : `fix: ${p.fix}\n`}`,
  );
  const text = await formatCheck("text", outcome.diagnostics, options.root);
  const found = outcome.problems.length > 0 ? "stopped" : summarize(outcome.diagnostics);
  process.stdout.write(`${text}${problems.join("")}watching: ${found} (${ms} ms)\n`);
}

/** Watches folders, not files: a file that is saved by renaming is another file afterwards. */
class Folders {
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = false;
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #end = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  constructor() {
    process.on("SIGINT", this.#end);
    process.on("SIGTERM", this.#end);
  }

  /** tmc's own library does not change while it runs, unless it is what is being worked on. */
  follow(folders: readonly string[]): void {
    const library = packagePath("firmware");
    const fixed = library.includes("node_modules");
    const wanted = new Set(folders.filter((f) => existsSync(f) && !(fixed && f.startsWith(library))));
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) {
      if (this.#watchers.has(folder)) continue;
      const watcher = watch(folder, (_event, name) => {
        if (name !== null && !isSource(name)) return;
        this.#changed = true;
        this.#wake?.();
      });
      // A folder that is removed: the next check finds out.
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#changed = true;
        this.#wake?.();
      });
      this.#watchers.set(folder, watcher);
    }
  }

  async next(): Promise<"changed" | "ended"> {
    while (!this.#changed && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#ended) return "ended";
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    this.#changed = false;
    return this.#ended ? "ended" : "changed";
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    process.off("SIGINT", this.#end);
    process.off("SIGTERM", this.#end);
  }
}
