/**
 * Plays the server of a node that takes updates: sends requests for signed files on `x`, answers wishes on `c` piece by
 * piece, over a broker. What it sent and was asked for can be looked at. One node, one file at a time.
 */
import type { MqttClient } from "mqtt";
import { decodeAnswer, encodeRequest, type DecodedAnswer, type RequestFields } from "./firmware-node.js";
import { pieceOf, piecesFor, readWish, referenceTo, type Wish } from "./model-artifact.js";

export class UpdateServer {
  /** All wishes, in order. */
  readonly wishes: Wish[] = [];
  /** Called before each wish is answered; false: this one is not. */
  onWish: (wish: Wish) => boolean = () => true;
  private file: Uint8Array = new Uint8Array(0);
  private readonly waiting = new Map<number, (answer: DecodedAnswer) => void>();
  private readonly watching = new Set<(wish: Wish) => void>();
  private nextId = 1;

  private constructor(
    private readonly client: MqttClient,
    private readonly topic: (kind: string) => string,
  ) {}

  /** `client`: connected; it stays the caller's. */
  static async start(client: MqttClient, server: string, node: string): Promise<UpdateServer> {
    const made = new UpdateServer(client, (kind) => `t1/${server}/${node}/${kind}`);
    client.on("message", (topic, payload) => {
      if (topic === made.topic("c")) made.serve(payload);
      else if (topic === made.topic("y")) made.finish(payload);
    });
    await client.subscribeAsync([made.topic("c"), made.topic("y")], { qos: 1 });
    return made;
  }

  /** Sends a request; its terminal answer. */
  ask(fields: RequestFields): Promise<DecodedAnswer> {
    const id = this.nextId++;
    return new Promise((done) => {
      this.waiting.set(id, done);
      this.client.publish(this.topic("x"), Buffer.from(encodeRequest({ ...fields, id, sender: "edge" })), {
        qos: 1,
      });
    });
  }

  /** Offers the file and asks the node to take it. */
  deploy(file: Uint8Array, operation = "model.deploy", deadlineMs = 120_000): Promise<DecodedAnswer> {
    this.file = file;
    return this.ask({ operation, input: referenceTo(file), deadlineMs });
  }

  /** Says that it has no more of the file. */
  end(): void {
    const message = pieceOf(this.file, 0, 0, { 3: 0, 4: undefined, 7: 15 });
    this.client.publish(this.topic("c"), Buffer.from(message), { qos: 1 });
  }

  /** The next wish that `wanted` accepts. */
  wish(wanted: (wish: Wish) => boolean): Promise<Wish> {
    return new Promise((found) => {
      const look = (wish: Wish): void => {
        if (!wanted(wish)) return;
        this.watching.delete(look);
        found(wish);
      };
      this.watching.add(look);
    });
  }

  private serve(payload: Uint8Array): void {
    const wish = readWish(payload);
    if (wish === undefined) return;
    this.wishes.push(wish);
    const answered = this.onWish(wish);
    for (const look of [...this.watching]) look(wish);
    if (!answered) return;
    for (const piece of piecesFor(this.file, wish)) {
      this.client.publish(this.topic("c"), Buffer.from(piece), { qos: 1 });
    }
  }

  private finish(payload: Uint8Array): void {
    const answer = decodeAnswer(payload);
    if (answer.stage !== 2) return;
    this.waiting.get(answer.id)?.(answer);
    this.waiting.delete(answer.id);
  }
}
