/** `tmc node …` and `tmc route explain` against a management interface over a fake node. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { argumentsOf, descriptorOf } from "../../compiler/cli/commands/node-call.js";
import { main } from "../../compiler/cli/main.js";
import { operationDefinition } from "../../host/bus/operations/catalogue.js";
import { NodeRefusal } from "../../compiler/cli/node-client.js";
import { answerAsPlant, populate } from "../support/fake-plant.js";
import { err, folder, node, out, startCli, stopCli, tmc } from "./fake-node-cli.js";

beforeEach(startCli);
afterEach(stopCli);

describe("reading", () => {
  it("prints tables for people and the API's answer for programs", async () => {
    populate(node);
    expect(await tmc("node", "status")).toBe(0);
    expect(out).toMatch(/^node +edge, running, tmc 0\.1\.0, boot 7$/m);
    expect(out).toMatch(/^nodes +9 online of 10$/m);
    expect(await tmc("node", "nodes")).toBe(0);
    expect(out).toMatch(/^NODE +STATE +SOFTWARE/);
    expect(out).toMatch(/^pump-7 +offline/m);
    await tmc("node", "describe", "pump-1");
    expect(out).toContain("accelerometer");
    await tmc("node", "models");
    expect(out).toMatch(
      /^vibration@2-int8 +candidate +int8 +22\.9 KB +vibration@2 +vibration:test accuracy 0\.9712/m,
    );
    await tmc("node", "data");
    expect(out).toContain("normal 160");
    await tmc("node", "functions");
    expect(out).toContain("No function is deployed");
    await tmc("node", "jobs");
    expect(out).toMatch(/^job-3 +model\.train +vibration +running +35 %/m);
    await tmc("node", "job", "job-2");
    expect(out).toMatch(/^evaluate-old +failed/m);
    expect(await tmc("node", "status", "--json")).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ id: "edge", nodes: { online: 9, known: 10 } });
  });

  it("prints nothing of nodes that could steer a terminal", async () => {
    node.join("pump-1", { softwareVersion: "1\u001b[2J\u001b]0;x\u0007\nFAKE LINE", labels: ["\u009b31m"] });
    node.log.log.info({ module: "core" }, "a\u001b[31mred\nsecond");
    for (const command of [["nodes"], ["describe", "pump-1"], ["logs"]]) {
      await tmc("node", ...command);
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      expect(out).not.toMatch(/^FAKE LINE/m);
    }
  });

  it("follows the log by level", async () => {
    node.log.log.debug("quiet");
    node.log.log.warn({ module: "broker", client: "x" }, "loud");
    await tmc("node", "logs", "--level", "warn");
    expect(out).toMatch(/^\S+Z warn {2}broker: loud client=x\n$/);
  });
});

describe("jobs and control", () => {
  it("cancels, follows to the end, and ends with its state", async () => {
    node.job({ id: "j-1", progress: 0.2 });
    const followed = tmc("node", "job", "j-1", "--follow");
    setTimeout(() => node.job({ id: "j-1", progress: 0.6, text: "epoch 2" }), 150);
    setTimeout(
      () =>
        node.job({ id: "j-1", state: "failed", endedAt: "now", error: { code: "internal", text: "boom" } }),
      300,
    );
    expect(await followed).toBe(1);
    expect(err).toContain("j-1 running 20 %");
    expect(out).toMatch(/state +failed, 60 %, internal: boom/);
    node.job({ id: "j-2" });
    expect(await tmc("node", "cancel", "j-2")).toBe(0);
    expect(out).toBe("j-2: cancelled\n");
    expect(await tmc("node", "drain")).toBe(0);
    expect(await tmc("node", "resume")).toBe(0);
    expect(out).toBe("The node is running.\n");
    expect(await tmc("node", "stop")).toBe(0);
    await expect.poll(() => node.stopped).toBe(true);
  });
});

describe("calls", () => {
  it("sends arguments as the schema wants them, and writes the output", async () => {
    node.answer("data.collect", () => ({
      result: { frames: 2, lost: 0 },
      output: new Uint8Array([1, 2, 3]),
    }));
    const file = join(folder, "out.bin");
    expect(
      await tmc(
        "node",
        "call",
        "data.collect",
        "--arg",
        "sensor=accelerometer",
        "--arg",
        "frames=2",
        "--node",
        "pump-1",
        "--deadline",
        "2.5",
        "--output",
        file,
      ),
    ).toBe(0);
    expect(node.orders.at(-1)?.order).toEqual({
      operation: "data.collect",
      arguments: { sensor: "accelerometer", frames: 2 },
      selector: { node: "pump-1" },
      deadlineMs: 2500,
    });
    expect([...readFileSync(file)]).toEqual([1, 2, 3]);
    expect(out).toMatch(/^frames +2$/m);
  });

  it("takes references, files, and large files as blobs", async () => {
    node.answer("model.infer", (order) => ({
      result: { label: "ok", score: 1, index: 0, model: "m@1" },
      output: order.input!,
    }));
    const small = join(folder, "small.f32");
    writeFileSync(small, Buffer.from([9, 8]));
    await tmc("node", "call", "model.infer", "--name", "vibration", "--input", "sensor:accelerometer");
    expect(node.orders.at(-1)?.order).toMatchObject({
      input: "sensor:accelerometer",
      selector: { name: "vibration" },
    });
    await tmc("node", "call", "model.infer", "--input", small, "--descriptor", "u8:2");
    expect(node.orders.at(-1)?.order).toMatchObject({
      input: new Uint8Array([9, 8]),
      inputDescriptor: { elementType: 1, shape: [2] },
    });
    const large = join(folder, "large.f32");
    writeFileSync(large, Buffer.alloc(100_000, 7));
    const back = join(folder, "back.f32");
    await tmc("node", "call", "model.infer", "--input", large, "--output", back);
    expect(node.orders.at(-1)?.order.input).toMatch(/^blob:/);
    expect(readFileSync(back).equals(readFileSync(large))).toBe(true);
  });

  it("follows long operations as jobs", async () => {
    node.answer("model.train", (order) => {
      expect(order.arguments).toMatchObject({ name: "m", units: [8, 4], detach: true });
      node.job({ id: "j-9", state: "done", progress: 1, endedAt: "now", result: { model: "m@1" } });
      return { result: { job: "j-9" } };
    });
    expect(
      await tmc("node", "call", "model.train", "--arg", "name=m", "--arg", "data=d", "--arg", "units=8,4"),
    ).toBe(0);
    expect(out).toMatch(/^model +m@1$/m);
    expect(
      await tmc(
        "node",
        "call",
        "model.train",
        "--arg",
        "name=m",
        "--arg",
        "data=d",
        "--arg",
        "units=[8,4]",
        "--detach",
      ),
    ).toBe(0);
    expect(out).toMatch(/^job +j-9$/m);
  });

  it("explains a route", async () => {
    populate(node);
    expect(await tmc("route", "explain", "model.infer", "--name", "vibration")).toBe(0);
    expect(out).toMatch(/^dispatch to pump-1\n/);
    expect(out).toMatch(/^pump-2 +node +no: model vibration@2-int8/m);
    answerAsPlant(node);
  });

  it("reads text, numbers, lists and objects", () => {
    const store = operationDefinition("data.store")!;
    expect(argumentsOf(store, ["origin=a=b", "ttlS=60"])).toEqual({ origin: "a=b", ttlS: 60 });
    expect(argumentsOf(store, ["ttlS=soon"])).toEqual({ ttlS: "soon" });
    const schedule = operationDefinition("task.schedule")!;
    expect(argumentsOf(schedule, ['order={"operation":"node.monitor"}', "name=5"])).toEqual({
      order: { operation: "node.monitor" },
      name: "5",
    });
    expect(argumentsOf(operationDefinition("model.deploy")!, ["nodes=a,b"])).toEqual({ nodes: ["a", "b"] });
    expect(descriptorOf("f32:128,3")).toEqual({ elementType: "f32", shape: [128, 3] });
  });
});

describe("failures", () => {
  it.each([
    [["node", "call", "data.lst"], "TMC6414", "did you mean data.list?"],
    [["node", "call", "data.list", "--arg", "nam=v"], "TMC6414", "it has prefix, after, limit"],
    [["node", "call", "data.list", "--arg", "toString=v"], "TMC6414", "it has prefix"],
    [["node", "call", "data.list", "--arg", "prefix"], "TMC6414", "not name=value"],
    [["node", "call", "data.list", "--arg", "limit=many"], "TMC6412", "arguments.limit"],
    [["node", "call", "model.infer", "--input", "nothing"], "TMC6415", "neither a file nor a reference"],
    [["node", "call", "model.infer", "--descriptor", "f32"], "TMC6415", "TYPE:SHAPE"],
    [["node", "call", "data.list"], "TMC6412", "no-capable-node"],
    [["node", "describe", "nobody"], "TMC6412", "not-found"],
    [["node", "status", "--url", "localhost"], "TMC6410", "not the address of a node"],
    [["node", "status", "--url", "http://127.0.0.1:9"], "TMC6410", "tmc node start"],
    [["node", "status", "--token-file", "/nothing"], "TMC6411", "there is no file"],
    [["node", "status", "--token-file", "/"], "TMC6411", "cannot read /"],
    [["node", "call", "model.infer", "--input", "/"], "TMC6415", "cannot read --input /"],
    [["node", "call", "data.collect"], "TMC6412", "arguments.sensor: missing (string)"],
  ])("%j is %s", async (args, code, text) => {
    expect(await tmc(...args)).toBeGreaterThan(0);
    expect(err).toContain(`error ${code}`);
    expect(err).toContain(text);
    expect(err).toContain("fix: ");
    expect(err).not.toContain("internal error");
  });

  it("tell how a drained node takes requests again, and not to try later", () => {
    expect(new NodeRefusal("busy", "the server is draining", undefined).fix).toContain("tmc node resume");
    expect(new NodeRefusal("busy", "every node that fits has a full queue", undefined).fix).toContain(
      "later",
    );
  });

  it("tell that no node runs, where the port is only known while one does", async () => {
    const config = join(folder, "free-port.yaml");
    writeFileSync(config, "state: nowhere\nmanagement: { port: 0 }\n");
    expect(await main(["node", "status", "--config", config])).toBe(1);
    expect(err).toContain(`error TMC6410: no node runs with the state folder ${join(folder, "nowhere")}`);
  });

  it("tell a wrong token, and what is not a node", async () => {
    const token = join(folder, "token");
    writeFileSync(token, "x".repeat(40));
    expect(await tmc("node", "status", "--token-file", token)).toBe(1);
    expect(err).toContain("error TMC6411");
    const other = createServer((_, answer) => answer.end("<html>"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = other.address() as { port: number };
      expect(await tmc("node", "status", "--url", `http://127.0.0.1:${port}`)).toBe(1);
      expect(err).toContain("error TMC6413");
    } finally {
      other.close();
    }
  });
});
