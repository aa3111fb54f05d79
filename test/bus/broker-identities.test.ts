/** Attacks on the broker: foreign and missing identities, guessed passwords. */
import { describe, expect, it } from "vitest";
import { noIdentities } from "../../host/node/broker/identities.js";
import { startTestBroker } from "../support/test-broker.js";
import { AttackedBroker, someKnown } from "./attacked-broker.js";

const attack = AttackedBroker.forEachTest();
const { start, join, codeOf, refused } = attack;

describe("identities", () => {
  it.each(["", "N1", "q", "a/b", "+", "#", "x".repeat(24), "__proto__", "n\u0000"])(
    "the client id %j is refused",
    async (id) => {
      await start();
      // MQTT parsers may refuse it before we do.
      expect([2, 255]).toContain(await codeOf(id));
      expect(attack.broker.status().clients).toEqual([]);
    },
  );

  it("names of JavaScript's objects are names like any other", async () => {
    await start();
    const client = await join("constructor");
    expect(await client.subscribe(["t1/edge/constructor/x", "t1/edge/n1/x"])).toEqual([1, 128]);
  });

  it("the server's own id is refused", async () => {
    await start();
    expect(await codeOf("edge")).toBe(2);
    expect(refused()).toEqual({ identity: 1 });
  });

  it("an enrolled id needs its password, also where strangers are let in", async () => {
    await start();
    expect(await codeOf("known")).toBe(4);
    expect(await codeOf("known", { username: "known", password: "wrong" })).toBe(4);
    expect(await codeOf("known", { username: "op", password: "opop" })).toBe(2);
    expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
    expect(refused()).toEqual({ credentials: 2, identity: 1 });
  });

  it("strangers are not let in unless they are wanted", async () => {
    await start({ anonymous: false });
    expect(await codeOf("n1")).toBe(4);
    expect(await codeOf("n1", { username: "n1", password: "n1n1" })).toBe(4);
    expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
  });

  it("a stranger's connection ends when its id is enrolled, so that nobody inherits a role", async () => {
    let change = (): void => undefined;
    let enrolled = false;
    await start(
      {},
      {
        identities: {
          ...noIdentities,
          roleOf: () => (enrolled ? "operator" : undefined),
          onChange: (listener) => {
            change = listener;
            return () => undefined;
          },
        },
      },
    );
    const stranger = await join("n1");
    enrolled = true;
    change();
    await stranger.untilEnded();
    expect(refused()).toEqual({ revoked: 1 });
  });

  it("guessing a password is slowed down, and keeps out nobody who was in", async () => {
    let verified = 0;
    const counting = {
      ...someKnown,
      verifyPassword: (id: string, password: string) => {
        verified++;
        return someKnown.verifyPassword(id, password);
      },
    };
    await start({}, { identities: counting });
    expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
    const codes: number[] = [];
    for (let i = 0; i < 30; i++) {
      codes.push(await codeOf("known", { username: "known", password: `guess ${i}` }));
    }
    expect(codes.slice(0, 5)).toEqual([4, 4, 4, 4, 4]);
    expect(new Set(codes.slice(5))).toEqual(new Set([3]));
    expect(verified).toBe(6);
    expect(await codeOf("known", { username: "known", password: "knownknown" })).toBe(0);
  });
});

it("listens to the network with TLS or not at all", async () => {
  await start();
  await expect(startTestBroker({ host: "0.0.0.0" })).rejects.toMatchObject({
    code: "TMC6101",
    fix: expect.stringContaining("tls: {}") as string,
  });
  await expect(startTestBroker({ host: "192.0.2.1", tls: { port: 0 } })).rejects.toMatchObject({
    code: "TMC6103",
  });
  await expect(startTestBroker({ port: attack.broker.port })).rejects.toMatchObject({ code: "TMC6102" });
});
