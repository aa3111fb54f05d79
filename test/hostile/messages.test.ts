/** What a hostile broker sends is the same for a seed, reaches the node's own topics and others, and is sometimes no MQTT. */
import { expect, it } from "vitest";
import { HostileMessages } from "./messages.js";

it("makes the same messages from a seed, on own and foreign topics, sound and broken", () => {
  const make = (seed: number): { bytes: Buffer; breaks: boolean }[] => {
    const messages = new HostileMessages(seed, "t1/edge/n1/");
    return Array.from({ length: 1000 }, () => messages.next());
  };
  const made = make(1);
  expect(make(1)).toEqual(made);
  expect(make(2)).not.toEqual(made);
  expect(made.filter(({ breaks }) => breaks).length).toBeGreaterThan(0);
  const onOwn = made.filter(({ bytes }) => bytes.includes("t1/edge/n1/x"));
  expect(onOwn.length).toBeGreaterThan(100);
  expect(onOwn.length).toBeLessThan(900);
});
