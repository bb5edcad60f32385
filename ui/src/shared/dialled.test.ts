import { describe, expect, it } from "vitest";
import { readDialled } from "./dialled";

describe("the dial field reads", () => {
  const rows: [rule: string, typed: string, number: string][] = [
    ["an extension", "1001", "1001"],
    ["an international number with its plus", "+34 910 000 001", "+34910000001"],
    ["dots, dashes, slashes and brackets as nothing", "(020) 7946.00-18/9", "020794600189"],
    ["the (0) of British numbers as nothing", "+44 (0)20 7946 0018", "+442079460018"],
    ["a tel: link without its parameters", "tel:+34-910-000-001;ext=2", "+34910000001"],
    ["a sip: link up to its host", "sip:1001@pbx.test", "1001"],
    ["an encoded link", "tel:%2B34910000001", "+34910000001"],
    ["feature codes", "*21#", "*21#"],
    ["full-width digits", "１１２", "112"],
    ["numbers that were copied with invisible marks", "\u202a+34 910\u202c", "+34910"],
    ["en dashes", "555\u20131234", "5551234"],
  ];
  it.each(rows)("%s", (_rule, typed, number) => {
    expect(readDialled(typed)).toEqual({ kind: "number", number });
  });

  const names: [rule: string, typed: string][] = [
    ["a name", "Ana"],
    ["a name with a number behind", "Ward 3"],
    ["brackets alone", "( )"],
    ["a number with letters", "0800 FLOWERS"],
  ];
  it.each(names)("%s as a search", (_rule, typed) => {
    expect(readDialled(typed).kind).toBe("name");
  });

  it("nothing as empty", () => {
    expect(readDialled("  ")).toEqual({ kind: "empty" });
  });
});
