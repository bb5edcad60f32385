import { describe, expect, it } from "vitest";
import { words } from "../shared/words";
import { type CallAct, callAct, type Pressed, phoneAct, type Stage, startsTyping } from "./keys";

const press = (key: string, held: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  ...held,
});
const talking: Stage = { talking: true, keypad: false };

describe("a key in a call", () => {
  const rows: [rule: string, e: Pressed, stage: Stage, act: CallAct | undefined][] = [
    ["M mutes", press("m"), talking, "mute"],
    ["M mutes with caps lock too", press("M"), talking, "mute"],
    ["H holds", press("h"), talking, "hold"],
    ["K opens the keypad", press("k"), talking, "keypad"],
    ["V shows the voice", press("v"), talking, "voice"],
    ["+ makes it louder", press("+", { shiftKey: true }), talking, "louder"],
    ["− makes it quieter", press("-"), talking, "quieter"],
    [
      "a digit is a tone while the keypad is open",
      press("5"),
      { ...talking, keypad: true },
      { digit: "5" },
    ],
    ["a digit is nothing while it is closed", press("5"), talking, undefined],
    ["X alone ends nothing", press("x"), talking, undefined],
    ["Shift and X hang up", press("X", { shiftKey: true }), talking, "hangUp"],
    [
      "Shift and X give up a call that only rings there",
      press("X", { shiftKey: true }),
      { ...talking, talking: false },
      "hangUp",
    ],
    [
      "a key that is held down hangs up nothing",
      press("X", { shiftKey: true, repeat: true }),
      talking,
      undefined,
    ],
    ["A takes the second call", press("a"), { ...talking, second: "rings" }, "answerSecond"],
    [
      "Esc declines the second call",
      press("Escape"),
      { ...talking, second: "rings" },
      "declineSecond",
    ],
    ["S changes between two calls", press("s"), { ...talking, second: "held" }, "swap"],
    ["A is nothing without a second call", press("a"), talking, undefined],
    ["the browser's own keys stay its own", press("m", { ctrlKey: true }), talking, undefined],
    [
      "nothing can be muted before the answer",
      press("m"),
      { ...talking, talking: false },
      undefined,
    ],
  ];
  it.each(rows)("%s", (_rule, e, stage, act) => {
    expect(callAct(e, stage)).toEqual(act);
  });
});

describe("a key anywhere", () => {
  it("? lists the keys, Ctrl and comma open the devices", () => {
    expect(phoneAct(press("?", { shiftKey: true }))).toBe("keys");
    expect(phoneAct(press(",", { ctrlKey: true }))).toBe("devices");
    expect(phoneAct(press(","))).toBeUndefined();
  });
  it.each(["7", "+", "n", "é", "د"])("%s begins a number or a name", (key) => {
    expect(startsTyping(press(key))).toBe(true);
  });
  it.each(["Enter", " ", "/", "?"])("%s begins none", (key) => {
    expect(startsTyping(press(key))).toBe(false);
  });
});

describe("the list of keys", () => {
  it("holds every key that does something in a call", () => {
    const listed = words.keys.groups.flatMap((g) => g.rows.map(([keys]): string => keys));
    expect(listed).toEqual(
      expect.arrayContaining([
        "?",
        "Ctrl ,",
        "/",
        "Enter",
        "Esc",
        "M",
        "H",
        "K",
        "V",
        "+ −",
        "Shift X",
        "A",
        "S",
      ]),
    );
  });
});
