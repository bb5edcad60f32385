import { describe, expect, it } from "vitest";
import type { Trunk, TrunkStatus } from "../shared/model";
import { bodyOf, fieldsOf, folded, nextGateway, special } from "./trunkFields";
import { trunkState } from "./trunkState";
import { say } from "./words";

const full: Trunk = {
  id: "t_1",
  rev: 4,
  passwordSet: true,
  name: "Carrier",
  enabled: true,
  gateways: [
    { host: "a.example", port: 5070, transport: "tls", priority: 1 },
    { host: "b.example", port: 0, transport: "udp", priority: 2 },
  ],
  register: true,
  username: "34910",
  maxCalls: 20,
  emergency: true,
  sources: [{ prefix: "192.0.2.0/24", port: 5060, transport: "udp" }],
  dials: ["+34", "0"],
  in: [{ match: "0([1-9].*)", with: "+34$1" }],
  out: [{ match: "\\+34(.*)", with: "0$1" }],
  identity: "pai",
  domain: "voice.example",
  advertise: "198.51.100.7",
  codecs: ["opus", "PCMA"],
  srtp: "required",
  symmetric: true,
};

describe("the trunk's form", () => {
  it("sends back all that it was given", () => {
    const { id: _id, rev: _rev, passwordSet: _set, ...body } = full;
    expect(bodyOf(fieldsOf(full))).toEqual(body);
  });
  it("sends what was emptied as empty, not as unsaid", () => {
    const f = { ...fieldsOf(full), sources: [], dials: " ", in: [], codecs: [], domain: "" };
    const body = bodyOf({ ...f, maxCalls: "" });
    expect(body).toMatchObject({ sources: [], dials: [], in: [], codecs: [], domain: "" });
    expect(body.maxCalls).toBe(0);
  });
  it("begins a new one with one gateway and nothing special", () => {
    expect(fieldsOf().gateways).toHaveLength(1);
    expect(special(fieldsOf())).toEqual([]);
  });
  it("tells which parts of the fold hold something", () => {
    expect(special({ ...fieldsOf(), maxCalls: "4" })).toEqual(["calls"]);
    expect(special(fieldsOf(full))).toEqual(["calls", "numbers", "identity", "voice"]);
  });
  it("tries a further gateway after the others", () => {
    expect(nextGateway(fieldsOf(full).gateways).priority).toBe("3");
  });
  it("knows which of the server's faults stand inside the fold", () => {
    expect(["body.in[0].match", "body.gateways[1].host", "body.name"].map(folded)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("a trunk's state", () => {
  const gateway = (reachable: boolean, address = "a:5060") => ({
    address,
    reachable,
    roundTripMs: 3,
  });
  const status = (change: Partial<TrunkStatus>): TrunkStatus => ({
    trunk: "t",
    trunkName: "T",
    registered: true,
    error: "",
    since: "",
    calls: 0,
    gateways: [gateway(true)],
    ...change,
  });
  const on = { enabled: true, register: true };
  const rows: [string, Parameters<typeof trunkState>, string, string][] = [
    ["switched off: switch it on", [{ enabled: false }, undefined], "", say.trunks.offNext],
    ["never tried: wait", [on, undefined], "warn", say.trunks.unknownNext],
    ["well: nothing to do", [on, status({})], "good", ""],
    [
      "refused by a gateway that answers: look at the account",
      [on, status({ registered: false, error: "403" })],
      "bad",
      say.trunks.refusedNext,
    ],
    [
      "no gateway answers: look at the way there",
      [on, status({ error: "No gateway answers.", gateways: [gateway(false)] })],
      "bad",
      say.trunks.silentNext,
    ],
    [
      "one of two answers: calls still go",
      [on, status({ gateways: [gateway(true), gateway(false, "b:5060")] })],
      "warn",
      say.trunks.partlyNext,
    ],
    [
      "not registered yet: wait",
      [on, status({ registered: false })],
      "warn",
      say.trunks.unknownNext,
    ],
  ];
  it.each(rows)("%s", (_rule, given, is, next) => {
    expect(trunkState(...given)).toMatchObject({ is, next });
  });
  it("names the gateway that does not answer", () => {
    const s = status({ gateways: [gateway(true), gateway(false, "b:5060")] });
    expect(trunkState(on, s).why).toContain("b:5060");
  });
});
