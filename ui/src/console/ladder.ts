import type { TraceEntry } from "../shared/model";

/** The server's own name in a story. */
const server = "server";

/** A message as an arrow between columns, or a note across them. */
export type Rung =
  | { kind: "message"; entry: TraceEntry; from: number; to: number; failed: boolean }
  | { kind: "note"; entry: TraceEntry };

export interface Ladder {
  columns: string[];
  rungs: Rung[];
}

/**
 * Lays a story out as a ladder: one column for each participant in the order
 * in which they speak, the server second, so that the caller's side is at its
 * left and the called side at its right.
 */
export function ladder(story: readonly TraceEntry[]): Ladder {
  const said = story.filter((e) => e.kind === "sip" && e.from && e.to);
  const others = [...new Set(said.flatMap((e) => [e.from!, e.to!]))].filter((n) => n !== server);
  const columns = said.length ? [...others.slice(0, 1), server, ...others.slice(1)] : [];
  const rungs = story.map((entry): Rung => {
    const from = columns.indexOf(entry.from ?? "");
    const to = columns.indexOf(entry.to ?? "");
    if (entry.kind !== "sip" || from < 0 || to < 0 || from === to) return { kind: "note", entry };
    return { kind: "message", entry, from, to, failed: /^[4-6]\d\d\b/.test(entry.text) };
  });
  return { columns, rungs };
}

/** The story with names instead of identifiers, where they are known. */
export function named(
  story: readonly TraceEntry[],
  names: Readonly<Record<string, string>>,
): TraceEntry[] {
  const name = (id?: string) => (id && names[id]) || id;
  return story.map((e) => ({ ...e, from: name(e.from), to: name(e.to) }));
}

/** Time since the first entry: +0.031, +6.20, +3:18. */
export function since(first: string, at: string): string {
  const ms = Date.parse(at) - Date.parse(first);
  if (ms < 10_000) return `+${(ms / 1000).toFixed(3)}`;
  if (ms < 60_000) return `+${(ms / 1000).toFixed(1)}`;
  const s = Math.floor(ms / 1000);
  return `+${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
