/**
 * `npm run demo`: the whole way on one machine. Compiles the default node for three boards, shows that three targets compute
 * the same bits, starts a broker and a node, and asks the node to describe itself, to collect data and to classify.
 * Everything it starts is stopped again; files go to build/demo.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packagePath } from "../compiler/board/package-root.js";
import { runProcess, type ProcessResult } from "../compiler/board/processes.js";
import { ExitCode } from "../compiler/diagnostics/user-error.js";
import { BusClient } from "../host/bus/bus-client.js";
import { resultOf } from "../host/bus/protocol.js";
import { elementTypes } from "../host/bus/protocol-keys.js";
import { topicOf } from "../host/bus/topics.js";
import { Child } from "../test/support/child.js";
import { Broker } from "../test/support/mosquitto.js";
import { writeRecording, writeWindows } from "./demo-inputs.js";
import { Cleanup, StepError, StepFailed, Steps, type Say } from "./demo-steps.js";
import { birthLines, exchangeLines } from "./demo-text.js";

const boards = ["host", "qemu_cortex_m4", "b_l4s5i_iot01a"] as const;
const out = packagePath("build", "demo");
const model = join("models", "vibration", "vibration.tflite");
const server = "edge";
const node = "demo-node";

/** Runs `tmc` as a user would and returns what it printed; an exit code that is not in `allowed` fails the step. */
async function tmc(
  args: readonly string[],
  allowed: readonly number[] = [ExitCode.ok],
): Promise<ProcessResult> {
  const result = await runProcess(process.execPath, [packagePath("bin", "tmc.js"), ...args], {
    cwd: packagePath(),
    timeoutMs: 300_000,
  });
  if (!allowed.includes(result.exitCode)) {
    const text = result.stderr.toString("utf8").trimEnd();
    const fix = /^fix: (.*)$/m.exec(text)?.[1];
    throw new StepError(
      `\`tmc ${args.join(" ")}\` ended with exit code ${result.exitCode}\n${text.replace(/^fix: .*$/m, "").trimEnd()}`,
      fix ?? "run the command by itself to see more",
    );
  }
  return result;
}

async function build(board: string, say: Say): Promise<void> {
  const result = await tmc(
    ["build", "--board", board, "--out", join(out, board)],
    [ExitCode.ok, ExitCode.noWorkspace],
  );
  say(result.stdout.toString("utf8"));
  if (result.exitCode === ExitCode.noWorkspace) {
    say(result.stderr.toString("utf8"));
  }
}

async function sameBits(say: Say): Promise<void> {
  const targets = "node,host,qemu_cortex_m4";
  const program = join("scripts", "fixtures", "demo-program.ts");
  say(`$ tmc exec ${program} --on ${targets} --count`);
  const run = await tmc(["exec", program, "--on", targets, "--count"]);
  say(run.stdout.toString("utf8"));
  say(run.stderr.toString("utf8"));
  for (const window of writeWindows(out)) {
    const result = await tmc(["model", "run", model, "--input", window.file, "--on", targets]);
    say(`model on a window "${window.label}": ${result.stdout.toString("utf8").split("\n")[0] ?? ""}`);
  }
}

async function startNode(broker: Broker, cleanup: Cleanup): Promise<Child> {
  const child = await Child.start(
    join(out, "host", "app.elf"),
    [
      ...["--id", node, "--server", broker.url, "--server-id", server, "--state-dir", join(out, "state")],
      ...["--sensor", `accelerometer=csv:${writeRecording(out)}`],
    ],
    { name: "the node" },
  );
  cleanup.add(async () => {
    await child.stop();
  });
  return child;
}

async function ask(bus: BusClient, say: Say): Promise<void> {
  const described = await bus.request(node, { operation: "node.describe" });
  say(exchangeLines(described));
  say(`  ${resultOf("node.describe", described.done).operations.length} operations\n`);

  const collected = await bus.request(node, {
    operation: "data.collect",
    arguments: { sensor: "accelerometer", frames: 64, mode: 1 },
  });
  say(exchangeLines(collected));
  const data = resultOf("data.collect", collected.done);
  const axes = (data.channels ?? []).map(
    ([mean, min, max, rms], i) =>
      `  ${"xyz"[i] ?? i}: mean ${show(mean)}, min ${show(min)}, max ${show(max)}, rms ${show(rms)} g`,
  );
  say(`  ${data.frames} frames, ${data.lost} lost\n${axes.join("\n")}\n`);

  for (const window of writeWindows(out)) {
    const inferred = await bus.request(node, {
      operation: "model.infer",
      selector: { name: "vibration" },
      input: window.bytes,
      inputDescriptor: {
        elementType: elementTypes.i8,
        shape: [1, 128, 1, 3],
        scale: 0.03125,
        zeroPoint: 0,
        unit: "g",
      },
    });
    say(exchangeLines(inferred));
    const result = resultOf("model.infer", inferred.done);
    say(`  window "${window.label}" is classified as "${result.label}", score ${show(result.score)}\n`);
    if (result.label !== window.label) {
      throw new StepError(
        "the node classified a window wrongly",
        "this is a bug: the model is tested with this window",
      );
    }
  }
  const sensed = await bus.request(node, {
    operation: "model.infer",
    selector: { name: "vibration" },
    input: "sensor:accelerometer",
  });
  say(exchangeLines(sensed));
  const result = resultOf("model.infer", sensed.done);
  say(`  a fresh window of the node's own accelerometer: "${result.label}", score ${show(result.score)}`);
}

function show(value: number): string {
  return value.toFixed(3);
}

async function main(): Promise<number> {
  const cleanup = new Cleanup();
  cleanup.onSignals();
  const steps = new Steps(boards.length + 4);
  try {
    for (const board of boards) {
      await steps.run(
        `compile firmware/app.ts for ${board}`,
        "`npx tmc doctor` shows what is missing",
        (say) => build(board, say),
      );
    }
    await steps.run(
      "the same bits on Node.js, host C and Cortex-M4 (QEMU)",
      "`npx tmc doctor` shows what is missing",
      sameBits,
    );
    const bus = await steps.run(
      "start a broker and the compiled node",
      "apt-get install mosquitto",
      async (say) => {
        const broker = await Broker.start();
        cleanup.add(() => broker.stop());
        say(`Mosquitto on ${broker.url}`);
        const client = await BusClient.connect({ url: broker.url, server });
        cleanup.add(() => client.close());
        const child = await startNode(broker, cleanup);
        say(`node ${node}, process ${child.pid}`);
        const birth = await client.birth(node);
        say(birthLines(birth, topicOf({ server, node, kind: "b" })));
        return client;
      },
    );
    await steps.run(
      "ask it: node.describe, data.collect, model.infer",
      "the node's own log is above",
      (say) => ask(bus, say),
    );
    await steps.run(
      "stop what was started",
      "look for leftover processes: mosquitto, app.elf",
      async (say) => {
        await cleanup.run();
        say("broker and node are gone");
      },
    );
    steps.finish();
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof StepFailed)) {
      throw error;
    }
    return ExitCode.failed;
  } finally {
    await cleanup.run();
  }
}

if (!existsSync(packagePath("dist", "compiler", "cli", "main.js"))) {
  console.error("tmc is not built: run `npm run demo`, which builds it");
  process.exitCode = ExitCode.missingTool;
} else {
  process.exitCode = await main();
}
