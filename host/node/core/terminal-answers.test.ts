/** Which terminal answers are kept: a late repetition gets the same bytes; only what nobody was given may be tried anew. */
import { afterEach, expect, it } from "vitest";
import { CoreWorld, settled, until } from "../../../test/support/core-world.js";
import { decodeAnswer, errorName } from "../../bus/protocol.js";
import type { RequestLimits } from "./core-options.js";

const worlds: CoreWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

async function scene(requests: Partial<RequestLimits> = {}) {
  const world = new CoreWorld();
  worlds.push(world);
  const { bus } = await world.server("edge", [], { requests: { resendMs: 0, ...requests } });
  const asker = await world.node("edge", "a", { operations: ["node.describe"] });
  const worker = await world.node("edge", "w", { operations: ["model.infer"] });
  /** Terminal answers to the request with this number, as they are on the bus. */
  const terminal = (id: number): Buffer[] =>
    bus.log
      .filter(({ topic }) => topic === asker.topic("r"))
      .map(({ payload }) => Buffer.from(payload))
      .filter((bytes) => decodeAnswer(bytes).id === id && decodeAnswer(bytes).stage === 2);
  const codeOf = (id: number): string => {
    const [first] = terminal(id);
    return first === undefined ? "none" : (errorName(decodeAnswer(first).error?.code ?? 0) ?? "done");
  };
  return { world, asker, worker, terminal, codeOf };
}
const request = { operation: "model.infer", deadlineMs: 30 };

it("a deadline of what was dispatched is the answer, also to a repetition; the node is not asked again", async () => {
  const { asker, worker, terminal, codeOf } = await scene();
  worker.behaviour = () => undefined;
  const id = asker.ask(request);
  await until(() => terminal(id).length === 1);
  expect(codeOf(id)).toBe("deadline");
  worker.behaviour = (to, node) => node.answer(to, { stage: 2 });
  // Late, and then the repetition.
  worker.answer(worker.requests[0]!, { stage: 2 });
  asker.ask({ ...request, deadlineMs: 2_000, id });
  await until(() => terminal(id).length === 2);
  await settled();
  const answers = terminal(id);
  expect(answers[1]).toEqual(answers[0]);
  expect([answers.length, worker.requests.length]).toEqual([2, 1]);
});

it("a deadline that passed in the queue stays over", async () => {
  const { asker, worker, terminal, codeOf } = await scene({ inFlightPerNode: 1 });
  worker.behaviour = () => undefined;
  asker.ask({ ...request, deadlineMs: 2_000 });
  const id = asker.ask(request);
  await until(() => terminal(id).length === 1);
  expect([codeOf(id), worker.requests.length]).toEqual(["deadline", 1]);
  // Now there would be room.
  worker.behaviour = (to, node) => node.answer(to, { stage: 2 });
  worker.answer(worker.requests[0]!, { stage: 2 });
  await settled();
  asker.ask({ ...request, deadlineMs: 2_000, id });
  await until(() => terminal(id).length === 2);
  expect(terminal(id)[1]).toEqual(terminal(id)[0]);
});

it("an error after a node went away that may have executed it is the answer", async () => {
  const { world, asker, worker, terminal, codeOf } = await scene();
  worker.behaviour = () => undefined;
  const id = asker.ask({ ...request, deadlineMs: 2_000 });
  await settled();
  worker.connection.die();
  await until(() => terminal(id).length === 1);
  expect(codeOf(id)).toBe("no-capable-node");
  const other = await world.node("edge", "z", { operations: ["model.infer"] });
  asker.ask({ ...request, deadlineMs: 2_000, id });
  await until(() => terminal(id).length === 2);
  expect(terminal(id)[1]).toEqual(terminal(id)[0]);
  expect(other.requests).toEqual([]);
});

it("what was refused may be repeated under its number", async () => {
  const { world, asker, worker, codeOf } = await scene();
  worker.behaviour = (to, node) => node.answer(to, { stage: 2, error: { code: 7 } });
  const busy = asker.ask({ ...request, deadlineMs: 2_000 });
  const unknown = asker.ask({ operation: "data.collect", deadlineMs: 2_000 });
  await until(() => asker.done(busy).length === 1 && asker.done(unknown).length === 1);
  expect([codeOf(busy), codeOf(unknown)]).toEqual(["busy", "no-capable-node"]);
  worker.behaviour = (to, node) => node.answer(to, { stage: 2 });
  await world.node("edge", "z", { operations: ["data.collect"] });
  asker.ask({ ...request, deadlineMs: 2_000, id: busy });
  asker.ask({ operation: "data.collect", deadlineMs: 2_000, id: unknown });
  await until(() => asker.done(busy).length === 2 && asker.done(unknown).length === 2);
  expect([asker.done(busy)[1]?.error, asker.done(unknown)[1]?.error]).toEqual([undefined, undefined]);
});
