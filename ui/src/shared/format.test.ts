import { describe, expect, it } from "vitest";
import { clock, pretty, when } from "./format";

describe("a duration", () => {
  it.each([
    [0, "0:00"],
    [7_900, "0:07"],
    [725_000, "12:05"],
    [3_729_000, "1:02:09"],
    [-5, "0:00"],
  ])("of %i ms is %s", (ms, text) => {
    expect(clock(ms)).toBe(text);
  });
});

describe("a number", () => {
  it.each([
    ["1001", "1001"],
    ["+34910000001", "+34 910 000 001"],
    ["+12025550123", "+1 202 555 01 23"],
    ["+35312345678", "+353 123 456 78"],
    ["*21#", "*21#"],
    ["", ""],
  ])("%s is shown as %s", (number, shown) => {
    expect(pretty(number)).toBe(shown);
  });
});

describe("a time", () => {
  const now = new Date(2026, 10, 24, 9, 0);
  it.each([
    ["today: the time alone", new Date(2026, 10, 24, 8, 5), "08:05"],
    [
      "yesterday, also when it is less than a day ago",
      new Date(2026, 10, 23, 23, 30),
      "Yesterday 23:30",
    ],
    ["this week: the day", new Date(2026, 10, 20, 8, 5), "Fri 08:05"],
    ["this year: the date", new Date(2026, 4, 3, 8, 5), "3 May"],
    ["before: the year too", new Date(2025, 4, 3, 8, 5), "3 May 2025"],
  ])("%s", (_rule, time, text) => {
    expect(when(time, now, "Yesterday", "en-GB")).toBe(text);
  });
});
