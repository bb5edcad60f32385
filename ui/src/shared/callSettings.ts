import { callWords } from "./callWords";
import { pretty } from "./format";
import type { CallSettings } from "./model";

/** The four forwards, in the order in which they are asked. */
export const forwards = [
  "forwardAlways",
  "forwardBusy",
  "forwardNoAnswer",
  "forwardNotSignedIn",
] as const;

/** Something that keeps calls from ringing, and what is left once it is off. */
export interface Diversion {
  /** It acts on every call, and not only where she does not answer. */
  every: boolean;
  title: string;
  text?: string;
  without: CallSettings;
}

/** What acts on the person's calls now; what cannot, because something before it does, is left out. */
export function diversions(c: CallSettings): Diversion[] {
  const w = callWords;
  if (c.forwardAlways)
    return [
      {
        every: true,
        title: w.allGo(pretty(c.forwardAlways)),
        text: w.allGoMore,
        without: { ...c, forwardAlways: undefined },
      },
    ];
  if (c.doNotDisturb)
    return [
      {
        every: true,
        title: w.disturbOn,
        text: c.forwardBusy ? w.disturbGo(pretty(c.forwardBusy)) : w.disturbBusy,
        without: { ...c, doNotDisturb: undefined },
      },
    ];
  return (["forwardBusy", "forwardNoAnswer", "forwardNotSignedIn"] as const).flatMap((f) => {
    const to = c[f];
    return to
      ? [{ every: false, title: w.some[f](pretty(to)), without: { ...c, [f]: undefined } }]
      : [];
  });
}

/** As a PATCH names them: what is off, too, so that it goes off. */
export function whole(c: CallSettings) {
  return {
    ...Object.fromEntries(forwards.map((f) => [f, c[f]?.trim() ?? ""])),
    doNotDisturb: c.doNotDisturb ?? false,
    waitMs: c.waitMs ?? null,
  };
}

/** The times to choose from, in milliseconds, with the one that is set; 0: not at all. */
export function waits(set?: number): number[] {
  const usual = [0, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000];
  return set === undefined || usual.includes(set) ? usual : [...usual, set].sort((a, b) => a - b);
}
