/** What brokers of this process received from the stand-in node "n1" of server "edge", whatever becomes of the brokers. */
import type { Passing } from "../../support/open-broker.js";

export class Recorder {
  private readonly received: { readonly topic: string; readonly text: string }[] = [];
  private readonly watchers = new Set<() => void>();

  /** `console`: lines to show when something does not come. */
  constructor(private readonly console: () => readonly string[]) {}

  /** For `openBroker`: passes everything on. */
  readonly pass = (message: Passing): readonly Passing[] => {
    this.received.push({ topic: message.topic, text: Buffer.from(message.payload).toString("latin1") });
    this.watchers.forEach((check) => check());
    return [message];
  };

  /** Topics' last letters, oldest first. */
  get kinds(): readonly string[] {
    return this.received.map(({ topic }) => topic.slice(-1));
  }

  /** Payloads below the node's topic, oldest first. */
  on(last: string): string[] {
    return this.received.filter(({ topic }) => topic === `t1/edge/n1/${last}`).map(({ text }) => text);
  }

  /** The numbers of the stand-in's events, each where it came first. */
  events(): number[] {
    return [...new Set(this.on("e").map((text) => Number(/^event (\d+)/.exec(text)?.[1])))];
  }

  /** Resolves when `holds`; asked after every message. @throws Error when time is up. */
  until(holds: () => boolean, timeoutMs = 60_000): Promise<void> {
    return new Promise((done, failed) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.watchers.delete(check);
        if (error === undefined) done();
        else failed(error);
      };
      const check = (): void => (holds() ? finish() : undefined);
      const timer = setTimeout(() => {
        const seen = this.received.map(({ topic, text }) => `${topic} ${text.slice(0, 20)}`);
        finish(new Error(["it did not come:", ...seen, ...this.console()].join("\n")));
      }, timeoutMs);
      this.watchers.add(check);
      check();
    });
  }

  /** The first answer after `send`. */
  async answer(send: () => void): Promise<string> {
    const before = this.on("y").length;
    send();
    await this.until(() => this.on("y").length > before);
    return this.on("y")[before] ?? "";
  }
}
