/** What somebody types at the serial console: every command, alone and as `tmc provision` sends them; and a dictionary. */
import { crc32 } from "node:zlib";

const names = ["id", "server-id", "server", "sntp", "ca", "cert", "key", "password", "wifi-ssid", "wifi-psk"];
const commands = [
  ...[
    "hello",
    "begin",
    "data",
    "commit",
    "get",
    "delete",
    "wipe",
    "restart",
    "keygen",
    "csr",
    "adopt",
    "status",
  ],
];

function put(name: string, value: Buffer): string {
  const lines = [`tmc begin ${name} ${value.length}`];
  for (let at = 0; at < value.length; at += 96) {
    lines.push(`tmc data ${value.subarray(at, at + 96).toString("base64")}`);
  }
  return [...lines, `tmc commit ${crc32(value).toString(16)}`, `tmc get ${name}`, ""].join("\n");
}

/** Sessions to begin with. */
export function lines(): Buffer[] {
  return [
    ...commands.map((command) => `tmc ${command}\n`),
    ...names.map((name) => put(name, Buffer.from(`value of ${name}`))),
    put("ca", Buffer.alloc(700, 7)),
    put("cert", Buffer.alloc(2048, 1)),
    "tmc status\n",
    "tmc keygen\ntmc csr pump-1\ntmc adopt\ntmc get key\n",
    "tmc begin id 6\ntmc data cHVtcC0y\ntmc commit 0\ntmc data AAAA\n",
    "tmc begin ca 99999999999\ntmc begin id -1\ntmc begin id 0x10\ntmc begin  id  5 5\n",
    "\r\n\r\nnoise\ntmc\ntmc \ntmc  hello\n",
    `tmc get ${"x".repeat(300)}\ntmc hello\n`,
    ...names.map((name) => `tmc get ${name}\ntmc delete ${name}\ntmc get ${name}\n`),
    "tmc wipe\ntmc restart\ntmc hello",
  ].map((text) => Buffer.from(text));
}

/** For libFuzzer's -dict. */
export function dictionary(): string {
  const words = [...commands, ...names, "tmc ", "\\x0atmc ", "AAAA", "AA==", " 2048", " 2049", " 0"];
  return words.map((word, i) => `w${i}="${word}"\n`).join("");
}
