/**
 * The table of what tmc uses on a machine: how each is found, what it is for, how it is installed. `tmc doctor` prints it.
 * Looks only; it installs and changes nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { runProcess } from "../board/processes.js";
import { findWorkspace } from "../board/zephyr/workspace.js";

/** required: without it programs do not compile or run. The others are needed for one purpose, which is named. */
export type ToolNeed = "required" | "optional";

export interface Tool {
  readonly name: string;
  readonly need: ToolNeed;
  readonly purpose: string;
  /** The command line that installs it on Debian. */
  readonly install: string;
  /** Its version (or place), undefined when it is missing; a string that starts with "! " says what is wrong with it. */
  readonly find: () => Promise<string | undefined>;
}

const apt = (packages: string): string => `apt-get install ${packages}`;

/** First line of `command args` that has a version in it; undefined when the command is missing or fails. */
async function versionOf(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const result = await runProcess(command, args, { timeoutMs: 10_000 });
    const output = `${result.stdout.toString("utf8")}\n${result.stderr.toString("utf8")}`;
    // Some tools (mosquitto -h) print their version and exit with 3.
    return /\d+\.\d+(\.\d+)*(-[\w.]+)?/.exec(output)?.[0];
  } catch {
    return undefined;
  }
}

const program =
  (command: string, args: readonly string[] = ["--version"]) =>
  (): Promise<string | undefined> =>
    versionOf(command, args);

/** Node.js 20.19 or newer. */
function findNode(): Promise<string> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const old = major < 20 || (major === 20 && minor < 19);
  return Promise.resolve(
    old ? `! ${process.versions.node} is too old: 20.19 is the oldest that works` : process.versions.node,
  );
}

/** A compiler without its C library is of no use: newlib comes as a package of its own. */
async function findNewlib(): Promise<string | undefined> {
  try {
    const result = await runProcess("arm-none-eabi-gcc", ["-print-file-name=libc.a"], { timeoutMs: 10_000 });
    const file = result.stdout.toString("utf8").trim();
    return file !== "libc.a" && existsSync(file) ? "found" : undefined;
  } catch {
    return undefined;
  }
}

async function findMosquitto(): Promise<string | undefined> {
  // Debian installs it in /usr/sbin, which is not in every user's PATH.
  return (await versionOf("mosquitto", ["-h"])) ?? (await versionOf("/usr/sbin/mosquitto", ["-h"]));
}

function findMosquittoHeader(): Promise<string | undefined> {
  const file = ["/usr/include/mosquitto.h", "/usr/local/include/mosquitto.h"].find(existsSync);
  if (file === undefined) {
    return Promise.resolve(undefined);
  }
  const text = readFileSync(file, "utf8");
  const parts = ["MAJOR", "MINOR", "REVISION"].map(
    (part) => new RegExp(`#define LIBMOSQUITTO_${part} (\\d+)`).exec(text)?.[1] ?? "?",
  );
  return Promise.resolve(parts.join("."));
}

/** The workspace that `tmc build` would use. One that cannot build is said to be there, with what it lacks. */
async function findZephyr(): Promise<string | undefined> {
  try {
    const result = await findWorkspace();
    if (result.kind === "found") {
      return `${result.workspace.version} in ${result.workspace.base}`;
    }
    return result.missing.message.includes("there is no Zephyr workspace")
      ? undefined
      : `! ${result.missing.message}`;
  } catch (error) {
    return `! ${error instanceof Error ? error.message : String(error)}`;
  }
}

export const tools: readonly Tool[] = [
  {
    name: "Node.js",
    need: "required",
    purpose: "runs tmc",
    install: "install Node.js 20.19 or newer",
    find: findNode,
  },
  {
    name: "gcc",
    need: "required",
    purpose: "target host",
    install: apt("gcc libc6-dev"),
    find: program("gcc"),
  },
  {
    name: "arm-none-eabi-gcc",
    need: "required",
    purpose: "Cortex-M targets",
    install: apt("gcc-arm-none-eabi"),
    find: program("arm-none-eabi-gcc"),
  },
  {
    name: "newlib for Arm",
    need: "required",
    purpose: "C library of qemu_cortex_m4",
    install: apt("libnewlib-arm-none-eabi"),
    find: findNewlib,
  },
  {
    name: "qemu-system-arm",
    need: "required",
    purpose: "runs Cortex-M images",
    install: apt("qemu-system-arm"),
    find: program("qemu-system-arm"),
  },
  {
    name: "libmosquitto",
    need: "required",
    purpose: "MQTT of board host (header mosquitto.h)",
    install: apt("libmosquitto-dev"),
    find: findMosquittoHeader,
  },
  {
    name: "mosquitto",
    need: "optional",
    purpose: "a broker for the demo and for tests",
    install: apt("mosquitto"),
    find: findMosquitto,
  },
  {
    name: "clang",
    need: "optional",
    purpose: "second compiler and sanitizers of tmc's own tests",
    install: apt("clang"),
    find: program("clang"),
  },
  {
    name: "gdb-multiarch",
    need: "optional",
    purpose: "debugging on Cortex-M boards (docs/debugging.md)",
    install: apt("gdb-multiarch"),
    find: program("gdb-multiarch"),
  },
  {
    name: "cmake",
    need: "optional",
    purpose: "Zephyr boards",
    install: apt("cmake"),
    find: program("cmake"),
  },
  {
    name: "ninja",
    need: "optional",
    purpose: "Zephyr boards",
    install: apt("ninja-build"),
    find: program("ninja"),
  },
  {
    name: "dtc",
    need: "optional",
    purpose: "Zephyr boards (device trees)",
    install: apt("device-tree-compiler"),
    find: program("dtc"),
  },
  {
    name: "west",
    need: "optional",
    purpose: "fetches a Zephyr workspace, flashes boards",
    install: "pip install west (in a virtual environment)",
    find: program("west"),
  },
  {
    name: "Zephyr workspace",
    need: "optional",
    purpose: "images for Zephyr boards",
    install: "tmc setup, or set ZEPHYR_BASE",
    find: findZephyr,
  },
];
