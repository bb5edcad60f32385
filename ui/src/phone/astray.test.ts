import { describe, expect, it } from "vitest";
import type { Call } from "../shared/model";
import { astray } from "./Astray";

const leg = (client: string, user: string, state: string) =>
  ({ id: client, client, clientName: `Ward ${client}`, user, state }) as Call["legs"][number];
const call = (state: string, ...legs: Call["legs"]) =>
  ({ id: "k", state, legs }) as unknown as Call;

describe("a call that did not come along", () => {
  it("is at another client", () => {
    expect(astray([call("talking", leg("1", "ana", "up"))], "ana", "2")?.place).toBe("Ward 1");
  });
  it("or waits for its person", () => {
    expect(astray([call("parked", leg("1", "ana", "ended"))], "ana", "2")).toEqual({
      id: "k",
      place: "",
    });
  });
  it("is not one that is here, comes here, or is somebody else's", () => {
    expect(astray([call("talking", leg("2", "ana", "up"))], "ana", "2")).toBeUndefined();
    expect(
      astray([call("talking", leg("1", "ana", "up"), leg("2", "ana", "calling"))], "ana", "2"),
    ).toBeUndefined();
    expect(astray([call("talking", leg("1", "bo", "up"))], "ana", "2")).toBeUndefined();
    expect(astray([call("talking", leg("1", "bo", "up"))], "", "2")).toBeUndefined();
  });
});
