/** `npm run hostile`: the default node on native_sim with sanitizers, and a broker that sends it anything; see docs/testing.md. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findBoard } from "../../compiler/board/board.js";
import { runZephyr } from "../../compiler/board/zephyr/run.js";
import { encodeRequest, decodeAnswer } from "../../host/bus/protocol.js";
import { noWorkspace } from "../zephyr/support/zephyr-node.js";
import { HostileBroker, publishPacket } from "./hostile-broker.js";
import { buildSanitized } from "./image.js";
import { HostileMessages } from "./messages.js";

const help = `usage: npm run hostile -- [options]

The default node as a Zephyr image for native_sim, all of it with AddressSanitizer and UndefinedBehaviorSanitizer, and a broker that
sends it damaged requests, foreign topics and bytes that are no MQTT. Every hundred messages the node must answer a sound request.

  --messages N   default 20000
  --seed S       default 1
  --help         this text

The last line is "N messages, C connections, F findings"; the exit code is 0 only without findings, 5 without a Zephyr workspace.
`;
const text = { type: "string" } as const;
const { values } = parseArgs({
  options: { messages: text, seed: text, help: { type: "boolean", default: false } },
});
/** Bound of a wait for an answer, ms; the machine may be busy. */
const answerMs = 120_000;
const id = "n1";
const prefix = `t1/edge/${id}/`;

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (noWorkspace !== "") {
    process.stderr.write(`npm run hostile:${noWorkspace}\n`);
    return 5;
  }
  const total = Number(values.messages ?? 20_000);
  const messages = new HostileMessages(Number(values.seed ?? 1), prefix);
  const executable = await buildSanitized();
  const folder = mkdtempSync(join(tmpdir(), "tmc-hostile-"));
  const broker = await HostileBroker.start();
  const node = await runZephyr({
    board: findBoard("native_sim"),
    executable,
    id,
    server: broker.url,
    stateDir: folder,
    sensor: "accelerometer=generator:vibration-healthy",
  });
  let asked = 1_000_000;
  /** Asks until the node answers: what it was asked in a connection that ended is lost. */
  const answers = (): Promise<boolean> =>
    new Promise((known) => {
      const request = { id: ++asked, boot: 1, sender: "edge", operation: "node.monitor" };
      const ask = (): void =>
        void broker.send(publishPacket(Buffer.from(`${prefix}x`), encodeRequest(request), 7));
      const end = (good: boolean): void => {
        clearInterval(again);
        clearTimeout(late);
        stop();
        known(good);
      };
      const stop = broker.onMessage((topic, payload) => {
        if (topic !== `${prefix}y`) return;
        const answer = decodeAnswer(payload);
        if (answer.id === request.id && answer.stage === 2) end(answer.error === undefined);
      });
      const again = setInterval(ask, 500);
      const late = setTimeout(() => end(false), answerMs);
      void node.ended.then(() => end(false));
      ask();
    });
  const findings: string[] = [];
  let sent = 0;
  if (!(await answers())) findings.push("the node did not begin");
  while (sent < total && findings.length === 0) {
    const { bytes, breaks } = messages.next();
    const arrived = await broker.send(bytes);
    sent += arrived ? 1 : 0;
    // What is damaged may be the beginning of a packet without an end: the next connection is sound again.
    if (breaks) broker.cut();
    if ((breaks || !arrived || sent % 100 === 0) && !(await answers()))
      findings.push(`no answer to a sound request after ${sent} messages`);
  }
  const report = /ERROR: AddressSanitizer|runtime error:|trap \d+ at site|ended with trap|LeakSanitizer/;
  findings.push(...node.lines.filter((line) => report.test(line)));
  if (findings.length > 0) process.stdout.write(`${node.lines.slice(-60).join("\n")}\n`);
  await node.stop();
  await broker.close();
  rmSync(folder, { recursive: true, force: true });
  for (const finding of findings) process.stdout.write(`FINDING: ${finding}\n`);
  process.stdout.write(`${sent} messages, ${broker.sessions} connections, ${findings.length} findings\n`);
  return findings.length === 0 ? 0 : 1;
}

process.exitCode = await main();
