import { describe, expect, it } from "vitest";
import type { Call } from "../shared/model";
import { cameFrom } from "./useVoice";

const leg = (client: string, user: string, state: string) =>
  ({ id: client, client, clientName: `Ward ${client}`, user, state }) as Call["legs"][number];
const call = (...legs: Call["legs"]) => ({ legs }) as unknown as Call;

describe("where a call came from", () => {
  it("names the client that the person left", () => {
    expect(
      cameFrom(call(leg("", "", "up"), leg("1", "ana", "ended"), leg("2", "ana", "up")), "2"),
    ).toBe("Ward 1");
  });
  it("is silent about a page that was loaded again", () => {
    expect(cameFrom(call(leg("2", "ana", "ended"), leg("2", "ana", "up")), "2")).toBe("");
  });
  it("is silent about a call that began here, and about others", () => {
    expect(cameFrom(call(leg("1", "bo", "ended"), leg("2", "ana", "up")), "2")).toBe("");
    expect(cameFrom(undefined, "2")).toBe("");
  });
});
