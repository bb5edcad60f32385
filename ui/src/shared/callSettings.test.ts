import { describe, expect, it } from "vitest";
import { diversions, waits, whole } from "./callSettings";

describe("what acts on her calls", () => {
  const all = {
    forwardAlways: "1002",
    forwardBusy: "1003",
    forwardNoAnswer: "+34600000001",
    forwardNotSignedIn: "1005",
    doNotDisturb: true,
    waitMs: 0,
  };
  it("is nothing at first, and waiting is none of it", () => {
    expect(diversions({})).toEqual([]);
    expect(diversions({ waitMs: 20_000 })).toEqual([]);
  });
  it("is the forward of every call alone, and off it leaves the rest as it is", () => {
    const [only, ...others] = diversions(all);
    expect(others).toEqual([]);
    expect([only?.every, only?.title]).toEqual([true, "All your calls go to 1002"]);
    expect(only?.without).toEqual({ ...all, forwardAlways: undefined });
  });
  it("is do not disturb before the other forwards, and says where callers end", () => {
    const [only, ...others] = diversions({ ...all, forwardAlways: undefined });
    expect(others).toEqual([]);
    expect([only?.title, only?.text]).toEqual(["Do not disturb is on", "Your calls go to 1003."]);
    expect(diversions({ doNotDisturb: true })[0]?.text).toBe("Callers are told that you are busy.");
  });
  it("is each forward for a case, and each goes off by itself", () => {
    const some = diversions({ forwardBusy: "1003", forwardNoAnswer: "+34600000001" });
    expect(some.map((d) => [d.every, d.title])).toEqual([
      [false, "When you are busy, calls go to 1003"],
      [false, "What you do not answer goes to +34 600 000 001"],
    ]);
    expect(some[1]?.without).toEqual({ forwardBusy: "1003", forwardNoAnswer: undefined });
  });
});

describe("settings", () => {
  it("in a PATCH name what is off", () => {
    expect(whole({ forwardBusy: " 1003 " })).toEqual({
      forwardAlways: "",
      forwardBusy: "1003",
      forwardNoAnswer: "",
      forwardNotSignedIn: "",
      doNotDisturb: false,
      waitMs: null,
    });
    expect(whole({ waitMs: 0 }).waitMs).toBe(0);
  });
  it("offer the time that is set among the usual ones", () => {
    expect(waits(20_000)).toEqual(waits());
    expect(waits(45_000)).toContain(45_000);
    expect(waits(45_000)).toEqual([...waits(45_000)].sort((a, b) => a - b));
  });
});
