/** Limits of one remote address, with a clock of the test. */
import { describe, expect, it } from "vitest";
import { AddressGate, networkOf } from "./address-gate.js";

const limits = { connectionsPerSecond: 10, burst: 20, halfOpen: 50, allHalfOpen: 100 };

function gateAt(more: Partial<typeof limits> = {}) {
  const clock = { now: 1_000_000 };
  const gate = new AddressGate({ ...limits, ...more }, () => clock.now);
  /** How many of `count` connections that end at once are let in. */
  const tries = (address: string, count: number): number => {
    let inside = 0;
    for (let i = 0; i < count; i++) {
      if (gate.enter(address) !== undefined) continue;
      inside++;
      gate.left(address);
    }
    return inside;
  };
  return { gate, clock, tries };
}

describe("limits of one address", () => {
  it("a burst, then so many a second; others are not affected", () => {
    const { gate, clock, tries } = gateAt();
    expect(tries("192.0.2.1", 100)).toBe(20);
    expect(gate.enter("192.0.2.1")).toBe("address");
    expect(tries("192.0.2.2", 5)).toBe(5);
    clock.now += 1000;
    expect(tries("192.0.2.1", 100)).toBe(10);
    // Attempts that were refused cost nothing: who waits gets in.
    tries("192.0.2.1", 10_000);
    clock.now += 100;
    expect(tries("192.0.2.1", 100)).toBe(1);
  });

  it("so many connections that have not proved who they are, of one and of all", () => {
    const { gate } = gateAt({ halfOpen: 3, allHalfOpen: 5 });
    for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.1"]) {
      expect(gate.enter(address)).toBeUndefined();
    }
    expect(gate.enter("192.0.2.1")).toBe("half-open");
    expect(gate.enter("192.0.2.2")).toBeUndefined();
    expect(gate.enter("192.0.2.3")).toBeUndefined();
    expect(gate.enter("192.0.2.4")).toBe("half-open");
    gate.proven("192.0.2.1");
    expect(gate.unproven).toBe(4);
    expect(gate.enter("192.0.2.1")).toBeUndefined();
    gate.left("192.0.2.2");
    expect(gate.enter("192.0.2.4")).toBeUndefined();
  });

  it("failed log-ins: a few are free, then each makes the next wait twice as long, within bounds", () => {
    const { gate, clock, tries } = gateAt({ burst: 400, connectionsPerSecond: 10 });
    const attempt = (): boolean => {
      if (gate.enter("192.0.2.1") !== undefined) return false;
      gate.failed("192.0.2.1");
      gate.left("192.0.2.1");
      return true;
    };
    let attempts = 0;
    while (attempt()) attempts++;
    // 5 for nothing, then 2, 4, 8 … connections each.
    expect(attempts).toBeLessThan(15);
    // The debt is at most a quarter of the burst: 10 s here.
    clock.now += 9_000;
    expect(attempt()).toBe(false);
    clock.now += 1_200;
    expect(attempt()).toBe(true);
    expect(attempt()).toBe(false);
    expect(tries("192.0.2.2", 3)).toBe(3);
    // In an hour of trying: one attempt in ten seconds.
    let hour = 0;
    for (let s = 0; s < 3600; s++) {
      clock.now += 1000;
      if (attempt()) hour++;
    }
    expect(hour).toBeLessThan(370);
  });

  it("a log-in that succeeds forgets the failures before it", () => {
    const { gate, tries } = gateAt();
    for (let i = 0; i < 10; i++) {
      if (i === 5) {
        gate.enter("192.0.2.1");
        gate.proven("192.0.2.1");
      }
      gate.failed("192.0.2.1");
    }
    expect(tries("192.0.2.1", 100)).toBe(19);
  });

  it("an attacker with many addresses fills no memory: those who come later share one limit", () => {
    const { gate, clock, tries } = gateAt({ halfOpen: 1_000_000, allHalfOpen: 1_000_000 });
    for (let i = 0; i < 16_384; i++) gate.enter(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    let inside = 0;
    for (let i = 0; i < 1000; i++) inside += tries(`172.16.${i >> 8}.${i & 255}`, 1);
    expect(inside).toBe(20);
    for (let i = 0; i < 16_384; i++) gate.left(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    clock.now += 10_000;
    expect(tries("172.17.0.1", 30)).toBe(20);
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["", ""],
  ])("%s counts as %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
