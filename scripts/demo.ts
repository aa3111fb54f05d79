/**
 * `npm run demo`: the whole way on one machine. Compiles the default node for three boards, shows that three targets compute
 * the same bits, starts a broker and a node, and asks the node to describe itself, to collect data and to classify.
 * Everything it starts is stopped again; files go to build/demo.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { packagePath } from "../compiler/board/package-root.js";
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

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** What is read of `tmc model run --json`. */
const modelRun = z.object({ layers: z.number(), outputs: z.array(z.object({ data: z.array(z.number()) })) });

/** Runs `tmc` as a user would and returns what it printed; an exit code that is not in `allowed` fails the step. */
async function tmc(args: readonly string[], allowed: readonly number[] = [ExitCode.ok]): Promise<Printed> {
  const child = await Child.start(process.execPath, [packagePath("bin", "tmc.js"), ...args], {
    cwd: packagePath(),
    name: "tmc",
  });
  const { code } = await child.exited;
  const printed = { stdout: child.text("stdout"), stderr: child.text("stderr"), code };
  if (!allowed.includes(code)) {
    const fix = /^fix: (.*)$/m.exec(printed.stderr)?.[1];
    throw new StepError(
      `\`tmc ${args.join(" ")}\` ended with exit code ${code}\n${printed.stderr.replace(/^fix: .*$/m, "").trimEnd()}`,
      fix ?? "run the command by itself to see more",
    );
  }
  return printed;
}

async function build(board: string, say: Say): Promise<void> {
  const result = await tmc(
    ["build", "--board", board, "--out", join(out, board)],
    [ExitCode.ok, ExitCode.noWorkspace],
  );
  say(result.stdout);
  if (result.code === ExitCode.noWorkspace) {
    say(result.stderr);
  }
}

/** The model's output on Node.js, by window; every target computed the same or the step fails. */
async function sameBits(say: Say): Promise<Map<string, readonly number[]>> {
  const targets = "node,host,qemu_cortex_m4";
  const program = join("scripts", "fixtures", "demo-program.ts");
  say(`$ tmc exec ${program} --on ${targets} --count`);
  const run = await tmc(["exec", program, "--on", targets, "--count"]);
  say(run.stdout);
  say(run.stderr);
  const outputs = new Map<string, readonly number[]>();
  for (const window of writeWindows(out)) {
    const result = await tmc(["model", "run", model, "--input", window.file, "--on", targets, "--json"]);
    const { layers, outputs: tensors } = modelRun.parse(JSON.parse(result.stdout));
    const bytes = tensors[0]?.data ?? [];
    say(`model, window "${window.label}": equal on ${layers} layers and the output, int8 ${bytes.join(" ")}`);
    outputs.set(window.label, bytes);
  }
  say(`${targets}: the same bits`);
  return outputs;
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

async function ask(
  bus: BusClient,
  expected: ReadonlyMap<string, readonly number[]>,
  say: Say,
): Promise<void> {
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
    const bytes = inferred.done.output instanceof Uint8Array ? [...Int8Array.from(inferred.done.output)] : [];
    if (result.label !== window.label || bytes.join() !== expected.get(window.label)?.join()) {
      throw new StepError(
        `window "${window.label}": the node computed ${bytes.join(" ")}, Node.js ${expected.get(window.label)?.join(" ")}`,
        "this is a bug: please report it",
      );
    }
  }
  say("each answer has the bits that Node.js computed\n");
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
    const expected = await steps.run(
      "the same bits on Node.js, host C and Cortex-M4 (QEMU)",
      "`npx tmc doctor` shows what is missing",
      sameBits,
    );
    const started = await steps.run(
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
        return { bus: client, child };
      },
    );
    await steps.run(
      "ask it: node.describe, data.collect, model.infer",
      "the node's log is above",
      async (say) => {
        try {
          await ask(started.bus, expected, say);
        } catch (error) {
          say(
            `the end of the node's log:\n${started.child.lines
              .slice(-15)
              .map((line) => line.text)
              .join("\n")}`,
          );
          throw error;
        }
      },
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
