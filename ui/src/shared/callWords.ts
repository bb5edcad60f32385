/**
 * Every English word about what is done with a person's calls. They are not
 * needed before she has signed in, so they stand apart.
 */
export const callWords = {
  save: "Save",
  off: "Turn off",
  disturb: "Do not disturb",
  disturbMore: "Nothing rings, and callers are told that the line is busy.",
  disturbOn: "Do not disturb is on",
  disturbBusy: "Callers are told that you are busy.",
  disturbGo: (n: string) => `Your calls go to ${n}.`,
  fields: {
    forwardAlways: "Forward every call to",
    forwardBusy: "When busy, forward to",
    forwardNoAnswer: "When not answered, forward to",
    forwardNotSignedIn: "When signed in nowhere, forward to",
  },
  numberHint: "A colleague’s number or an outside one. Empty: calls are not forwarded.",
  wait: "When signed in nowhere, calls wait for",
  waitMore: "It rings for the caller, and then wherever the person signs in.",
  waitNot: "Calls are forwarded then, so they do not wait.",
  asSite: "As the site has it",
  asSiteIs: (time: string) => `As the site has it: ${time}`,
  notAtAll: "not at all",
  allGo: (n: string) => `All your calls go to ${n}`,
  allGoMore: "Nothing rings here.",
  some: {
    forwardBusy: (n: string) => `When you are busy, calls go to ${n}`,
    forwardNoAnswer: (n: string) => `What you do not answer goes to ${n}`,
    forwardNotSignedIn: (n: string) => `When you are signed in nowhere, calls go to ${n}`,
  },
} as const;
