import { say } from "./words";

/** Ends that are nobody's trouble. */
const ordinary = new Set(["normal", "cancelled", "elsewhere", "ended by operator"]);
/** Ends that the called side or the caller chose: nothing here is broken. */
const theirs = new Set(["busy", "declined", "no answer", "not signed in", "unknown number"]);

/**
 * What a call's cause means and what to do about it; undefined if it ended as
 * calls do. ours: something of this site needs looking after.
 */
export function outcome(cause: string): { what: string; next: string; ours: boolean } | undefined {
  if (ordinary.has(cause)) return undefined;
  const known = (say.calls.outcomes as Record<string, readonly [string, string]>)[cause];
  const [what, next] = known ?? [cause, say.calls.outcomeOther];
  return { what, next, ours: !theirs.has(cause) };
}
