import { describe, expect, it } from "vitest";
import { Problem, problem } from "./access";
import { advice, failure } from "./advice";
import { words } from "./words";

describe("after a failure", () => {
  it.each([400, 401, 403, 404, 409, 413, 422, 429, 500, 502])(
    "with status %d a sentence says what to do",
    (status) => {
      expect(advice(new Problem(status, "No"))).toMatch(/\.$/);
    },
  );
  it("of the network the words are ours, not the browser’s", () => {
    const e = new TypeError("Failed to fetch");
    expect(failure(e)).toBe(words.advice.unreachable);
    expect(advice(e)).toBe(words.advice.unreachableNext);
  });
  it("of the server its own words are kept", () => {
    expect(failure(new Problem(409, "Somebody else has this login"))).toBe(
      "Somebody else has this login",
    );
  });
});

describe("a refusal (RFC 9457)", () => {
  it("keeps where each fault is", () => {
    const body = {
      title: "Nothing was imported",
      errors: [{ location: "line 3, login", message: "is taken" }],
    };
    const p = problem(new Response(null, { status: 422 }), body);
    expect([p.message, p.detail]).toEqual(["Nothing was imported", "is taken"]);
    expect(p.faults).toEqual([{ where: "line 3, login", what: "is taken" }]);
  });
  it("without a body has the status for its name", () => {
    expect(problem(new Response(null, { status: 502 })).message).toBe("HTTP 502");
  });
});

describe("every end of a call", () => {
  it.each(Object.keys(words.ended).filter((c) => c !== "title"))(
    "“%s” says what to do",
    (cause) => {
      expect(words.endedNext[cause]).toMatch(/[.?]$/);
    },
  );
});

describe("every page that can only say that something is wrong", () => {
  it.each([
    words.insecure.next,
    words.noIdentity.next,
    words.offline.next,
    words.revoked.next,
    words.otherTab.busy,
    words.setup.noCode,
    words.devices.deniedMore,
    words.devices.absentMore,
    words.devices.busyMore,
    words.link.lostMore,
    words.link.refusedMore,
  ])("says what to do: %s", (text) => {
    expect(text).toMatch(/\.$/);
  });
});
