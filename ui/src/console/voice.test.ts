import { describe, expect, it } from "vitest";
import type { CallRecord, Figures } from "../shared/model";
import { mos, score, ticks, ways } from "./voice";

const figures: Figures = {
  codec: "PCMA",
  transport: "RTP/AVP",
  received: 990,
  sent: 1000,
  lost: 10,
  discarded: 0,
  farLost: 50,
  jitterMs: 4,
  farJitterMs: 6,
  roundTripMs: 20,
  firstVoice: "2026-11-24T09:00:07Z",
  lastVoice: "2026-11-24T09:00:27Z",
};
const record: CallRecord = {
  id: "k",
  from: { number: "1", name: "" },
  to: "2",
  direction: "inbound",
  emergency: false,
  offered: "2026-11-24T09:00:00Z",
  answered: "2026-11-24T09:00:06Z",
  ended: "2026-11-24T09:00:30Z",
  durationMs: 24_000,
  cause: "normal",
  endedBy: "caller",
  legs: [{ leg: "a", sipCall: "x", cause: "normal", trunkName: "Carrier", voice: figures }],
};

describe("a leg's voice", () => {
  it("has two ways, each with its own loss", () => {
    expect(ways(figures).map((w) => [w.way, w.loss, w.quality])).toEqual([
      ["heard", 1, "good"],
      ["sent", 5, "poor"],
    ]);
  });
  it("leaves out a way in which nothing went", () => {
    expect(ways({ ...figures, received: 0 }).map((w) => w.way)).toEqual(["sent"]);
  });
});

describe("the estimated rating", () => {
  const rows: [rule: string, facts: Parameters<typeof mos>[0], from: number, to: number][] = [
    ["a perfect line is a little over 4.3", { loss: 0, jitter: 0, roundTrip: 0 }, 4.3, 4.5],
    ["loss of 1 % is heard a little", { loss: 1, jitter: 4, roundTrip: 20 }, 4.2, 4.35],
    ["loss of 5 % is bad", { loss: 5, jitter: 5, roundTrip: 40 }, 3.6, 4.0],
    ["a delay of half a second each way is bad", { loss: 0, jitter: 0, roundTrip: 1000 }, 1, 3],
    ["it never falls below 1", { loss: 100, jitter: 500, roundTrip: 3000 }, 1, 1],
  ];
  it.each(rows)("%s", (_rule, facts, from, to) => {
    expect(mos(facts)).toBeGreaterThanOrEqual(from);
    expect(mos(facts)).toBeLessThanOrEqual(to);
  });
});

describe("a call in time", () => {
  it("waits, talks, and has each leg's voice where it was", () => {
    expect(score(record, "?", 0)).toMatchObject({
      length: 30_000,
      waiting: { from: 0, to: 6000 },
      talking: { from: 6000, to: 30_000 },
      legs: [{ name: "Carrier", voice: { from: 7000, to: 27_000 } }],
    });
  });
  it("that nobody answered only waits", () => {
    const s = score({ ...record, answered: undefined, legs: [] }, "?", 0);
    expect(s.waiting).toEqual({ from: 0, to: 30_000 });
    expect(s.talking).toBeUndefined();
  });
  it("has few marks, at round times", () => {
    expect(ticks(30_000)).toEqual([0, 5000, 10_000, 15_000, 20_000, 25_000, 30_000]);
    expect(ticks(4 * 3_600_000).length).toBeLessThanOrEqual(7);
    expect(ticks(400)).toEqual([0]);
  });
});
