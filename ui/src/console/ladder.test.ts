import { describe, expect, it } from "vitest";
import type { TraceEntry } from "../shared/model";
import { ladder, since } from "./ladder";
import { nothing, told } from "./live";
import { readRoute } from "./route";

const sip = (from: string, to: string, text: string): TraceEntry => ({
  at: "2026-11-24T09:00:00Z",
  kind: "sip",
  from,
  to,
  text,
});

describe("the ladder", () => {
  const story = [
    sip("Carrier", "server", "INVITE"),
    { at: "2026-11-24T09:00:00Z", kind: "route" as const, text: "ring Ward 3" },
    sip("server", "Ward 3", "INVITE"),
    sip("Ward 3", "server", "486 Busy Here"),
  ];
  it("stands the server between the caller and everybody else", () => {
    expect(ladder(story).columns).toEqual(["Carrier", "server", "Ward 3"]);
  });
  it("draws messages from sender to receiver and marks refusals", () => {
    expect(
      ladder(story).rungs.map((r) => (r.kind === "note" ? "note" : [r.from, r.to, r.failed])),
    ).toEqual([[0, 1, false], "note", [1, 2, false], [2, 1, true]]);
  });
  it("is empty for a story without messages", () => {
    expect(ladder([]).columns).toEqual([]);
  });
  it.each([
    ["2026-11-24T09:00:00.031Z", "+0.031"],
    ["2026-11-24T09:00:12.340Z", "+12.3"],
    ["2026-11-24T09:03:18Z", "+3:18"],
  ])("tells %s as %s after the first entry", (at, text) => {
    expect(since("2026-11-24T09:00:00Z", at)).toBe(text);
  });
});

describe("the console's address", () => {
  it("leads to Now by default, and to one call", () => {
    expect(readRoute("/console", "").page).toBe("now");
    const r = readRoute("/console/calls/k_1", "user=u_2");
    expect([r.page, r.id, r.query.get("user")]).toEqual(["calls", "k_1", "u_2"]);
  });
});

describe("news", () => {
  const binding = {
    client: "c_1",
    clientName: "Desk",
    user: "u_1",
    userName: "Ana",
    method: "pin",
    since: "",
  };
  it("put a person at a client and take her away", () => {
    const bound = told(nothing, { event: "bound", ...binding });
    expect(bound.bindings.c_1?.userName).toBe("Ana");
    expect(told(bound, { event: "released", binding, reason: "signed out" }).bindings).toEqual({});
  });
});
