/**
 * What tests of models over a real bus share, whatever the node runs on: what it offers, whether its model computes the bits
 * of the reference, and a model that replaces another across losses of power.
 */
import type { MqttClient } from "mqtt";
import { expect } from "vitest";
import { runOnNode } from "../../compiler/model/execute/inference.js";
import { loadGraph } from "../../compiler/model/importers/load-model.js";
import { decodeBirth } from "../../host/bus/protocol.js";
import { errorName, type DecodedAnswer } from "./firmware-node.js";
import { artifact, goldenInput, largePackage, vibrationFile, vibrationPackage } from "./model-artifact.js";
import type { UpdateServer } from "./update-server.js";

/**
 * The models, NAME@VERSION, in the next birth record of node `id` at server "edge" that `wanted` accepts. `client` has
 * subscribed to it.
 */
export function offeredModels(
  client: MqttClient,
  id: string,
  wanted: (models: readonly string[], boot: number) => boolean,
): Promise<readonly string[]> {
  return new Promise((found) => {
    const look = (topic: string, payload: Buffer): void => {
      if (topic !== `t1/edge/${id}/b`) return;
      const record = decodeBirth(payload);
      const models = (record.models ?? []).map(({ name, version }) => `${name}@${version}`);
      if (!wanted(models, record.boot)) return;
      client.off("message", look);
      found(models);
    };
    client.on("message", look);
  });
}

const inputs = [0, 1, 77].map((shift) => goldenInput.map((q) => ((q + shift) << 24) >> 24));

function infer(server: UpdateServer, input: Int8Array): Promise<DecodedAnswer> {
  const descriptor = new Map<number, unknown>([
    [0, 0],
    [1, [input.length / 3, 3]],
  ]);
  return server.ask({ operation: "model.infer", input: Buffer.from(input.buffer), descriptor });
}

/** The node's vibration model gives what the same model gives here. */
export async function expectReferenceBits(server: UpdateServer): Promise<void> {
  const reference = runOnNode(
    loadGraph(vibrationFile),
    inputs.map((input) => [input]),
  );
  for (const [i, input] of inputs.entries()) {
    const { output, error } = await infer(server, input);
    expect(error).toBeUndefined();
    expect(Int8Array.from(output ?? [])).toEqual(reference[i]?.outputs[0]);
  }
}

/** A node in its first boot, which has taken `artifact(vibrationPackage())`. */
export interface UpdatedNode {
  readonly server: UpdateServer;
  /** It loses its power. */
  cutPower(): Promise<unknown>;
  /** It starts again; what it offers then. */
  start(bootNumber: number): Promise<readonly string[]>;
  /** What it offers in the next birth record that `wanted` accepts. */
  offers(wanted: (models: readonly string[]) => boolean): Promise<readonly string[]>;
}

/**
 * A larger model comes; the power fails in the middle of its content, and when it is there. The old model runs until then,
 * the transfer goes on where it stopped, the old one does not come back, and the new one can be removed.
 */
export async function expectReplacedAcrossCuts(node: UpdatedNode): Promise<void> {
  const { server } = node;
  const large = artifact(largePackage(), { name: "large", counter: 2 });
  const middle = server.wish(({ offset }) => offset > 192 + 4096);
  server.onWish = ({ offset }) => offset <= 192 + 4096;
  void server.deploy(large);
  await middle;
  await node.cutPower();
  server.onWish = () => true;
  expect(await node.start(2)).toEqual(["vibration@2.0.0"]);
  await expectReferenceBits(server);
  server.wishes.length = 0;
  expect((await server.deploy(large)).error).toBeUndefined();
  expect(server.wishes.map(({ offset }) => offset).slice(0, 2)).toEqual([0, 192 + 4096]);
  await node.cutPower();
  expect(await node.start(3)).toEqual(["large@2.0.0"]);
  expect(errorName(await server.deploy(artifact(vibrationPackage())))).toBe("forbidden");
  const gone = node.offers((models) => models.length === 0);
  const undeploy = { operation: "model.undeploy", arguments: new Map<number, unknown>([[0, "large"]]) };
  expect((await server.ask(undeploy)).error).toBeUndefined();
  expect(await gone).toEqual([]);
}
