/** What of a key press matters. */
export type Pressed = Pick<
  KeyboardEvent,
  "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "repeat"
>;

/** What a key does while a call is on the stage. */
export type CallAct =
  | "mute"
  | "hold"
  | "keypad"
  | "voice"
  | "louder"
  | "quieter"
  | "hangUp"
  | "answerSecond"
  | "declineSecond"
  | "swap"
  | { digit: string };

/** How the stage is when a key is pressed. */
export interface Stage {
  talking: boolean;
  keypad: boolean;
  /** Another call beside the one in front: it rings, or is held. */
  second?: "rings" | "held";
}

/** What a key means in a call; undefined if it means nothing there. */
export function callAct(e: Pressed, { talking, keypad, second }: Stage): CallAct | undefined {
  if (e.ctrlKey || e.metaKey || e.altKey || e.repeat) return undefined;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  // Nothing is ended by one stray letter: hanging up takes Shift as well.
  if (key === "x") return e.shiftKey ? "hangUp" : undefined;
  if (second === "rings" && key === "a") return "answerSecond";
  if (second === "rings" && key === "Escape") return "declineSecond";
  if (second === "held" && key === "s") return "swap";
  if (!talking) return undefined;
  if (keypad && /^[\d*#]$/.test(key)) return { digit: key };
  const acts: Record<string, CallAct> = {
    m: "mute",
    h: "hold",
    k: "keypad",
    v: "voice",
    "+": "louder",
    "=": "louder",
    "-": "quieter",
  };
  return acts[key];
}

/** What a key does on every face of the phone, except in a field or a dialog. */
export function phoneAct(e: Pressed): "keys" | "devices" | undefined {
  if (e.key === "?" && !e.ctrlKey && !e.metaKey && !e.altKey) return "keys";
  if (e.key === "," && (e.ctrlKey || e.metaKey)) return "devices";
  return undefined;
}

/** Whether a key that is pressed anywhere begins a number or a name. */
export function startsTyping(e: Pressed): boolean {
  return !e.ctrlKey && !e.metaKey && !e.altKey && /^[\p{L}\d+*#]$/u.test(e.key);
}

/** Whether somebody types into a field, or a dialog lies over the page. */
export function occupied(target: EventTarget | null): boolean {
  if (document.querySelector('[role="dialog"]')) return true;
  return target instanceof Element && !!target.closest("input, textarea, select, [role=menu]");
}
