import { describe, expect, it } from "vitest";
import { browserName } from "../shared/access";
import { instance } from "./instance";

describe("the instance of a key (RFC 5626 section 4.1)", () => {
  it("is a UUID and always the same", () => {
    const print = "Qk3vXyT0aB9zLmN4Qk3vXyT0aB9zLmN4Qk3vXyT0aB8";
    expect(instance(print)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(instance(print)).toBe(instance(print));
  });
});

describe("a browser's first name", () => {
  it.each([
    [
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
      "Chrome on Linux",
    ],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
      "Firefox on Windows",
    ],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1",
      "Safari on iOS",
    ],
    ["curl/8", "Browser"],
  ])("of %s", (agent, name) => {
    expect(browserName(agent)).toBe(name);
  });
});
