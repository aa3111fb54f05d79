import { expect, test } from "vitest";
import { Alarm } from "./alarm.js";

test("goes on at the upper level and off only below the lower one", () => {
  const alarm = new Alarm(1, 2);
  expect([0.5, 2, 1.5, 1, 0.9, 1.9].map((value) => alarm.update(value))).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ]);
});

test("counts how often it went on", () => {
  const alarm = new Alarm(1, 2);
  for (const value of [3, 0, 3, 0, 3]) alarm.update(value);
  expect(alarm.count).toBe(3);
});
