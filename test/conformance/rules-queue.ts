/** Rules of work that takes time: its deadline, its queue, its priority, quick work beside it. */
import { here, sensorOf, work } from "./abilities.js";
import { pause, type Exchange } from "./probe.js";
import { applies, both, minimal, must, mustRefuse, mustSucceed, type Rule } from "./rule.js";
import { outcome } from "./wire.js";

export const queueRules: readonly Rule[] = [
  {
    id: "deadline.kept",
    kinds: both,
    clause: "Deadline",
    text: "Work that takes longer than its deadline ends then, with one `deadline` and no late result.",
    async check(context) {
      const sent = await context.probe.send(work(context, 1_500, { deadlineMs: 300 }));
      const { done, accepted } = await context.probe.finish(sent);
      must(accepted !== undefined, "it was not accepted");
      mustRefuse(done, "deadline", "1.5 s of work in 300 ms");
      const took = done.message.at - sent.at;
      must(took >= 200 && took < 1_000, `the answer came after ${took.toFixed(0)} ms`);
      await pause(1_500);
      const terminal = context.probe.answersTo(sent).filter(({ stage }) => stage === 2);
      must(terminal.length === 1, `${terminal.length} terminal answers`);
    },
  },
  {
    id: "deadline.in-queue",
    kinds: minimal,
    clause: "Deadline; Background work",
    text: "A request whose deadline passes while it waits is answered `deadline`.",
    async check(context) {
      const { probe } = context;
      const long = await probe.send(work(context, 900));
      const waiting = await probe.send(work(context, 100, { deadlineMs: 200 }));
      mustRefuse((await probe.finish(waiting)).done, "deadline", "200 ms behind 900 ms of work");
      mustSucceed((await probe.finish(long)).done, "the work before it");
    },
  },
  {
    id: "background.interleaved",
    kinds: both,
    clause: "Background work",
    text: "Quick operations are answered while long work runs.",
    async check(context) {
      const { probe } = context;
      const long = await probe.send(work(context, 700));
      const quick = await probe.ask({ operation: "node.monitor", selector: here(context) });
      mustSucceed(quick.done, "node.monitor");
      must(probe.terminal(long) === undefined, "the answer came only after the long work");
      mustSucceed((await probe.finish(long)).done, "the long work");
    },
  },
  {
    id: "background.repeated",
    kinds: both,
    clause: "Requests and answers",
    text: "A repetition of a request that waits or runs is acknowledged again; there is one `done`.",
    async check(context) {
      const { probe, wire } = context;
      const sent = await probe.send(work(context, 500));
      await wire.until(() => probe.answersTo(sent)[0]);
      await probe.sendBytes(sent, sent.payload);
      const twice = await wire.until(() => {
        const accepted = probe.answersTo(sent).filter(({ stage }) => stage === 1);
        return accepted.length >= 2 ? accepted : undefined;
      }, 400);
      must(twice !== undefined, "the repetition was not acknowledged");
      mustSucceed((await probe.finish(sent)).done, "the work");
      await pause(600);
      const terminal = probe.answersTo(sent).filter(({ stage }) => stage === 2);
      must(terminal.length === 1, `${terminal.length} terminal answers`);
    },
  },
  {
    id: "queue.busy",
    kinds: minimal,
    clause: "Background work; Errors: busy",
    text: "With the queue full the answer is `busy` with retryAfterMs; what was accepted ends in one `done`.",
    async check(context) {
      const { probe } = context;
      const room = Number(context.birth().get(7));
      applies(room <= 64, `a queue of ${room} is too long to fill`);
      sensorOf(context);
      // All at once: the first must not be done before the last has come.
      const sending = Array.from({ length: room + 2 }, () => probe.send(work(context, 250)));
      const sent = await Promise.all(sending);
      const ended = await Promise.all(sent.map((each) => probe.finish(each, 250 * room + 8_000)));
      const busy = ended.filter(({ done }) => done.error?.code === 7);
      const good = ended.filter(({ done }) => done.error === undefined);
      must(good.length === room, `${good.length} of ${room + 2} were done; the birth record says ${room}`);
      must(busy.length === 2, `${busy.length} of 2 were refused as busy: ${outcome(ended.at(-1)?.done)}`);
      for (const { done, accepted } of busy) {
        must(accepted === undefined, "a busy request was accepted");
        const retryAfterMs = done.error?.retryAfterMs;
        must(retryAfterMs !== undefined && retryAfterMs > 0, "busy without retryAfterMs");
      }
    },
  },
  {
    id: "queue.priority",
    kinds: minimal,
    clause: "Background work",
    text: "The highest priority runs first; equal ones in the order of arrival.",
    async check(context) {
      const { probe } = context;
      applies(Number(context.birth().get(7)) >= 4, "the queue is too short to see an order");
      const send = async (name: string, priority: number): Promise<{ name: string; end: Exchange }> => {
        const end = await probe.finish(await probe.send(work(context, 250, { priority })));
        mustSucceed(end.done, name);
        return { name, end };
      };
      // The first runs before the others come; they come at once.
      const running = await probe.send(work(context, 500));
      await context.wire.until(() => probe.answersTo(running)[0]);
      const ends = await Promise.all([send("low", 10), send("high 1", 200), send("high 2", 200)]);
      mustSucceed((await probe.finish(running)).done, "the running work");
      const order = ends
        .sort((a, b) => a.end.done.message.at - b.end.done.message.at)
        .map(({ name }) => name)
        .join(", ");
      must(order === "high 1, high 2, low", `order: ${order}`);
    },
  },
];
