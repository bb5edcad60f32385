import { describe, expect, it } from "vitest";
import { byLine, decode, look, sample } from "./table";

describe("a table of people, looked at before it is sent,", () => {
  it("says who would be added and with which numbers", () => {
    const { people, numbers, missing, unknown } = look(sample);
    expect(people.map((p) => [p.line, p.login, p.name, p.numbers])).toEqual([
      [2, "ana", "Ana Pereira", ["1001", "+34910000001"]],
      [3, "ben", "Okafor, Ben", ["1002"]],
    ]);
    expect(numbers).toBe(3);
    expect([...missing, ...unknown]).toEqual([]);
  });
  it("tells that there is a secret, and never which", () => {
    const { people } = look(sample);
    expect(people.map((p) => [p.password, p.pin])).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(JSON.stringify(people)).not.toContain("change-this");
  });

  const rows: [rule: string, text: string, logins: string[]][] = [
    ["takes columns in any order", "name,login\nBo,bo\n", ["bo"]],
    ["takes semicolons, as spreadsheets write them", "\ufeffname;login\r\nBo;bo\r\n", ["bo"]],
    ["needs no line end at its end", "login,name\nbo,Bo", ["bo"]],
    ["passes over empty lines", "login,name\n\nbo,Bo\n\n", ["bo"]],
    ["keeps doubled quotes as one", 'login,name\n"b""o",Bo', ['b"o']],
    ["is empty without people", "login,name\n", []],
    ["is empty without anything", "", []],
  ];
  it.each(rows)("%s", (_rule, text, logins) => {
    expect(look(text).people.map((p) => p.login)).toEqual(logins);
  });
  it("counts lines as an editor does, also over a cell of two lines", () => {
    const { people } = look('login,name\nbo,"Bo\nthe elder"\ncy,Cy\n');
    expect(people.map((p) => p.line)).toEqual([2, 4]);
  });
  it("names the columns that it does not know and those that it lacks", () => {
    expect(look("name,shoe\nBo,43")).toMatchObject({ unknown: ["shoe"], missing: ["login"] });
  });
  it("is read as UTF-8, or as an older spreadsheet wrote it", () => {
    expect(decode(new TextEncoder().encode("Érika").buffer as ArrayBuffer)).toBe("Érika");
    expect(decode(new Uint8Array([0xc9, 0x72, 0x69, 0x6b, 0x61]).buffer)).toBe("Érika");
  });
});

describe("the server's refusal", () => {
  it("is told by line and column", () => {
    expect(
      byLine([
        { where: "line 12, numbers", what: "is somebody else’s" },
        { where: "line 3, login", what: "is taken" },
        { where: "table", what: "there is nobody in it" },
      ]),
    ).toEqual([
      { line: 0, text: "there is nobody in it" },
      { line: 3, text: "login is taken" },
      { line: 12, text: "numbers is somebody else’s" },
    ]);
  });
});
