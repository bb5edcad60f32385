import { describe, expect, it } from "vitest";
import { outcome } from "./outcome";
import { say } from "./words";

describe("a call's end", () => {
  it.each(["normal", "cancelled", "elsewhere"])("“%s” needs no word", (cause) => {
    expect(outcome(cause)).toBeUndefined();
  });
  it.each([
    "busy",
    "declined",
    "no answer",
    "not signed in",
    "unknown number",
    "not allowed",
    "unreachable",
    "no common codec",
    "too many calls",
    "voice lost",
    "no voice path",
    "session expired",
    "not acknowledged",
    "server stopping",
    "server restarted",
    "internal error",
  ])("“%s” says what to do next", (cause) => {
    const told = outcome(cause)!;
    expect(told.what).not.toBe(cause);
    expect(told.next).not.toBe(say.calls.outcomeOther);
    expect(told.next).toMatch(/[.?]$/);
  });
  it("that is new still leads to the story", () => {
    expect(outcome("brand new")).toMatchObject({ what: "brand new", next: say.calls.outcomeOther });
  });
});
