import { describe, expect, it } from "vitest";
import { lasted, method, reason } from "./stay";

describe("a stay", () => {
  const rows: [until: string, text: string][] = [
    ["2026-11-24T09:00:45Z", "45 s"],
    ["2026-11-24T09:12:59Z", "12 min"],
    ["2026-11-24T16:05:00Z", "7 h 05"],
    ["2026-11-27T13:00:00Z", "3 d 4 h"],
    ["2026-11-24T08:59:00Z", "0 s"],
  ];
  it.each(rows)("until %s lasted %s", (until, text) => {
    expect(lasted("2026-11-24T09:00:00Z", until)).toBe(text);
  });
  it.each([
    "signed out",
    "identified elsewhere",
    "another user came",
    "administrator",
    "connection lost",
    "idle",
    "client revoked",
    "user disabled",
  ])("that ended by “%s” says so in a sentence", (name) => {
    expect(reason(name)).not.toBe(name);
  });
  it("that lasts has no end, and a new way to sign in keeps its name", () => {
    expect(reason(undefined)).toBe("");
    expect(method("badge")).toContain("badge");
  });
});
