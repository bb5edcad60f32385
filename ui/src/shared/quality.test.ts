import { describe, expect, it } from "vitest";
import { type Counts, judge, sample } from "./quality";

const zero: Counts = {
  received: 0,
  sent: 0,
  lost: 0,
  farLost: 0,
  jitterMs: 0,
  farJitterMs: 0,
  roundTripMs: 0,
};

describe("a sample of the voice", () => {
  it("counts what was lost since the last one, and takes the worse way", () => {
    const before = { ...zero, received: 1000, sent: 1000, lost: 100, farLost: 0 };
    const now = {
      ...before,
      received: 1049,
      sent: 1050,
      lost: 101,
      farLost: 5,
      jitterMs: 4,
      farJitterMs: 9,
    };
    expect(sample(before, now, 7)).toEqual({ at: 7, loss: 10, jitter: 9, roundTrip: 0 });
  });
  it("is no loss when nothing was sent or a counter began anew", () => {
    expect(sample({ ...zero, lost: 9 }, zero, 0).loss).toBe(0);
  });
});

describe("the quality in a word", () => {
  const of = (loss: number, jitter: number, roundTrip: number) =>
    judge(Array.from({ length: 5 }, (_, at) => ({ at, loss, jitter, roundTrip })));
  it.each([
    ["good on a quiet network", of(0, 5, 40), "good"],
    ["fair with two packets in a hundred lost", of(2, 5, 40), "fair"],
    ["fair with jitter", of(0, 40, 40), "fair"],
    ["poor with much loss", of(8, 5, 40), "poor"],
    ["poor with a long way", of(0, 5, 700), "poor"],
    ["unknown before the second sample", judge([]), "unknown"],
  ])("is %s", (_rule, got, want) => {
    expect(got).toBe(want);
  });
});
