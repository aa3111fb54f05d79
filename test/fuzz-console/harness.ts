/** Compiles the serial console of the Zephyr port, without Zephyr, for libFuzzer (session.c). It runs nothing. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { packagePath } from "../../compiler/board/package-root.js";

/** The fuzzer in `folder`/fuzzer. @throws Error when it does not compile */
export function buildConsoleFuzzer(folder: string, level = "-O1"): string {
  mkdirSync(folder, { recursive: true });
  const own = packagePath("test", "fuzz-console");
  const port = packagePath("runtime-c", "port", "zephyr");
  const program = join(folder, "fuzzer");
  const args = [
    ...["-std=c11", "-g", level, "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"],
    ...["-DCONFIG_TMC_TLS", "-DCONFIG_TMC_CONSOLE_STATUS", "-DCONFIG_TMC_CREDENTIAL_MAX=2048"],
    ...[`-I${own}`, `-I${port}`, `-I${packagePath("runtime-c", "include")}`],
    ...[join(own, "session.c"), join(port, "console.c"), join(port, "provision.c")],
  ];
  execFileSync("clang", [...args, "-o", program], { stdio: "pipe" });
  return program;
}
