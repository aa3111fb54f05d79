/** A minimal node played on a memory bus: announces itself, answers what is dispatched to it as the test says. */
import { encodeCbor, decodeAnswer, type Answer } from "../../host/bus/protocol.js";
import { birthKeys, stateKeys } from "../../host/bus/protocol-keys.js";
import { toMap } from "../../host/bus/keyed-maps.js";
import {
  decodeRequest,
  encodeAnswer,
  encodeServerRequest,
  type AnswerParts,
  type ServerRequest,
} from "../../host/bus/request-codec.js";
import type { MemoryBus, MemoryConnection } from "./memory-bus.js";

export type Behaviour = (request: ServerRequest, node: MemoryNode) => void;

/** Acknowledges and is done at once. */
export const obedient: Behaviour = (request, node) => {
  node.answer(request, { stage: 1 });
  node.answer(request, { stage: 2 });
};

export class MemoryNode {
  readonly connection: MemoryConnection;
  /** What was dispatched to it. */
  readonly requests: ServerRequest[] = [];
  /** Answers to its own requests. */
  readonly answers: Answer[] = [];
  behaviour: Behaviour = obedient;
  private lastId = 0;

  constructor(
    readonly bus: MemoryBus,
    readonly server: string,
    readonly id: string,
    readonly boot = 1,
    readonly record: object = {},
  ) {
    const will = encodeCbor(toMap(stateKeys, { version: 1, node: id, boot, online: false }));
    this.connection = bus.connect({ topic: this.topic("s"), payload: will });
    this.connection.onMessage((topic, payload) => {
      if (topic === this.topic("x")) {
        const request = decodeRequest(payload, "");
        this.requests.push(request);
        this.behaviour(request, this);
      } else if (topic === this.topic("r")) this.answers.push(decodeAnswer(payload));
    });
  }

  topic(kind: string): string {
    return kind === "q" ? `t1/${this.server}/q/${this.id}` : `t1/${this.server}/${this.id}/${kind}`;
  }

  async join(): Promise<this> {
    await this.connection.subscribe([this.topic("x"), this.topic("r"), this.topic("c")]);
    await this.announce();
    return this;
  }

  async announce(): Promise<void> {
    const birth = {
      version: 1,
      node: this.id,
      boot: this.boot,
      kind: 0,
      software: "test",
      softwareVersion: "1",
      maxMsg: 1024,
      queue: 4,
      operations: ["node.describe", "node.monitor", "model.infer"],
      ...this.record,
    };
    await this.send("b", encodeCbor(toMap(birthKeys, birth)), true);
    const state = { version: 1, node: this.id, boot: this.boot, online: true };
    await this.send("s", encodeCbor(toMap(stateKeys, state)), true);
  }

  answer(to: Pick<ServerRequest, "id" | "boot" | "sender">, parts: Partial<AnswerParts>): void {
    const whole = {
      id: to.id,
      boot: to.boot,
      sender: to.sender,
      node: this.id,
      stage: 2,
      ...parts,
    } as AnswerParts;
    void this.send("y", encodeAnswer(whole)).catch(() => {});
  }

  /** Sends a request of its own; gives its number. */
  ask(request: Partial<ServerRequest> & { readonly operation: string }): number {
    const id = request.id ?? ++this.lastId;
    void this.send("q", encodeServerRequest({ id, boot: this.boot, sender: this.id, ...request }));
    return id;
  }

  send(kind: string, payload: Uint8Array, retain = false): Promise<void> {
    return this.connection.publish(this.topic(kind), payload, { qos: 1, retain });
  }

  /** Terminal answers to its request. */
  done(id: number): Answer[] {
    return this.answers.filter((a) => a.id === id && a.stage === 2);
  }
}
