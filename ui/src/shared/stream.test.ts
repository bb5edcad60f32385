import { describe, expect, it } from "vitest";
import { backoff } from "./backoff";
import { StreamReader } from "./sse";

describe("the event stream", () => {
  it("gives an event when its blank line comes, however it is cut", () => {
    const text = 'event: bound\ndata: {"a":1}\n\n: heartbeat\n\nevent: ready\r\ndata: {}\r\n\r\n';
    for (let cut = 1; cut < text.length; cut++) {
      const reader = new StreamReader();
      const events = [...reader.read(text.slice(0, cut)), ...reader.read(text.slice(cut))];
      expect(events).toEqual([
        { event: "bound", data: '{"a":1}' },
        { event: "ready", data: "{}" },
      ]);
    }
  });

  it("joins several data lines and names an unnamed event message", () => {
    expect(new StreamReader().read("data: a\ndata:b\n\n")).toEqual([
      { event: "message", data: "a\nb" },
    ]);
  });

  it("ends at a line that never ends", () => {
    expect(() => new StreamReader(10).read("data: 0123456789")).toThrow();
  });
});

describe("waiting before the next attempt", () => {
  it("doubles from half a second and stops at 15 seconds", () => {
    expect([0, 1, 2, 5, 50].map((n) => backoff(n, 1))).toEqual([500, 1000, 2000, 15_000, 15_000]);
  });
  it("is at least half of that, by chance", () => {
    expect(backoff(1, 0)).toBe(500);
  });
});
