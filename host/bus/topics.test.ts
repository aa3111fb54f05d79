import { describe, expect, it } from "vitest";
import { isNodeId, parseTopic, subscriptionsOfServer, topicOf, type TopicKind } from "./topics.js";

describe("topics", () => {
  it.each(["q", "r", "x", "y", "b", "s", "e", "c"] as TopicKind[])("%s is read as it is made", (kind) => {
    const topic = { server: "edge-1", node: "n7", kind };
    expect(parseTopic(topicOf(topic))).toEqual(topic);
  });

  it("has the forms of the protocol", () => {
    expect(topicOf({ server: "s", node: "n", kind: "q" })).toBe("t1/s/q/n");
    expect(topicOf({ server: "s", node: "n", kind: "x" })).toBe("t1/s/n/x");
    expect(subscriptionsOfServer("s")).toEqual(["t1/s/q/+", "t1/s/+/y", "t1/s/+/b", "t1/s/+/s", "t1/s/+/e"]);
  });

  it.each([
    "",
    "t1",
    "t2/s/n/x",
    "t1/s/n",
    "t1/s/n/z",
    "t1/s/n/x/x",
    "t1/S/n/x",
    "t1/s/N/x",
    "t1/s/q/",
    "t1//n/x",
  ])("%j is none of them", (topic) => {
    expect(parseTopic(topic)).toBeUndefined();
  });

  it("an id is 1-23 characters of [0-9a-z-], and not q", () => {
    expect(["a", "0-z", "x".repeat(23)].every(isNodeId)).toBe(true);
    expect(["", "q", "A", "a_b", "x".repeat(24), "ä", "a/b", "a+"].some(isNodeId)).toBe(false);
  });
});
