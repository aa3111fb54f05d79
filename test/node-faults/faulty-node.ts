/**
 * `tmc node start` as a process of its own that faults happen to: killed, started again on the same port and state, or
 * put on a small disk that fills. Its files go with `remove`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packagePath } from "../../compiler/board/package-root.js";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";
import { lookInside } from "./look-inside.js";

export interface FaultyNodeOptions {
  /** Default: a broker in the node, on a free port. */
  readonly broker?: string;
  readonly neighbours?: readonly { readonly id: string; readonly url: string }[];
  /** The state is on a file system of its own, of 64 MB; see `fillDisk`. */
  readonly smallDisk?: boolean;
}

/** Mounting needs a namespace of one's own; some machines forbid that to users. */
export function canMount(): boolean {
  return spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
}

/**
 * $1: where the file system is mounted; $2: folder outside it, with `fill` while the disk shall be full; then the
 * command. The node's data are copied out when it ended: nobody else sees the mount.
 */
const onSmallDisk = `
mount -t tmpfs -o size=64m none "$1" || exit 9
disk=$1; out=$2; shift 2
"$@" & node=$!
trap 'kill -TERM $node' TERM
while kill -0 $node 2>/dev/null; do
  if [ -e "$out/fill" ] && [ ! -e "$out/full" ]; then
    head -c 100000000 /dev/zero > "$disk/ballast" 2>/dev/null; touch "$out/full"
  elif [ ! -e "$out/fill" ] && [ -e "$out/full" ]; then
    rm -f "$disk/ballast" "$out/full"
  fi
  sleep 0.05
done
wait $node
rm -f "$disk/ballast"
cp -r "$disk/state/data" "$out/data"
`;

export class FaultyNode {
  private child: Child | undefined;

  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly smallDisk: boolean,
  ) {}

  /** Running. */
  static async start(options: FaultyNodeOptions = {}): Promise<FaultyNode> {
    const folder = mkdtempSync(join(tmpdir(), "tmc-faults-"));
    const smallDisk = options.smallDisk === true;
    mkdirSync(join(folder, "disk"));
    const port = await freePort();
    const config = {
      state: join(folder, ...(smallDisk ? ["disk", "state"] : ["state"])),
      bus:
        options.broker === undefined
          ? { broker: { port, anonymous: true } }
          : { external: { url: options.broker } },
      neighbours: options.neighbours ?? [],
      management: { enabled: false },
      functions: { enabled: false },
      log: { level: "warn" },
    };
    // JSON is YAML.
    writeFileSync(join(folder, "node.yaml"), JSON.stringify(config));
    const node = new FaultyNode(options.broker ?? `mqtt://127.0.0.1:${port}`, folder, smallDisk);
    await node.resume();
    return node;
  }

  /** Starts it again, with the state it had. */
  async resume(): Promise<void> {
    const program = packagePath("test", "support", "tmc-from-source.ts");
    const config = join(this.folder, "node.yaml");
    const loader = import.meta.resolve("tsx");
    const command = [process.execPath, "--import", loader, program, "node", "start", "--config", config];
    const [file = "", ...args] = this.smallDisk
      ? ["unshare", "-Urm", "sh", "-c", onSmallDisk, "sh", join(this.folder, "disk"), this.folder, ...command]
      : command;
    this.child = await Child.start(file, args, { cwd: packagePath(), name: "tmc node start" });
    await this.child.waitForLine("is running", 60_000);
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.child?.stop("SIGKILL");
  }

  async fillDisk(): Promise<void> {
    writeFileSync(join(this.folder, "fill"), "");
    await this.untilFull(true);
  }

  async freeDisk(): Promise<void> {
    rmSync(join(this.folder, "fill"));
    await this.untilFull(false);
  }

  /** Ends it in order, and reads what it stored. */
  async stopAndLook(): Promise<{ found: Map<number, number>; wrong: string[] }> {
    await this.child?.stop("SIGTERM", 30_000);
    return lookInside(this.smallDisk ? join(this.folder, "data") : join(this.folder, "state", "data"));
  }

  async remove(): Promise<void> {
    // On the small disk the node is a child of the shell, which passes only SIGTERM on.
    await this.child?.stop(this.smallDisk ? "SIGTERM" : "SIGKILL", 10_000);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async untilFull(full: boolean): Promise<void> {
    const until = performance.now() + 10_000;
    while (existsSync(join(this.folder, "full")) !== full) {
      if (performance.now() > until)
        throw new Error("the small disk did not fill, or was not freed, in 10 s");
      await sleep(20);
    }
  }
}
