import { say } from "./words";

/** How somebody came to a client, in words; a way that is not known here by its own name. */
export function method(name: string): string {
  return (say.stays.methods as Record<string, string>)[name] ?? say.stays.by(name);
}

/** Why a stay ended, in words; empty while it lasts. */
export function reason(name: string | undefined): string {
  if (!name) return "";
  const [, system] = /^outside: (.*)$/.exec(name) ?? [];
  if (system) return say.stays.outside(system);
  return (say.stays.reasons as Record<string, string>)[name] ?? name;
}

/** How long a stay was: 45 s, 12 min, 7 h 05, 3 d 4 h. */
export function lasted(since: string, until: string): string {
  const s = Math.max(0, Math.round((Date.parse(until) - Date.parse(since)) / 1000));
  const [m, h, d] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86_400)];
  if (d) return `${d} d ${h % 24} h`;
  if (h) return `${h} h ${String(m % 60).padStart(2, "0")}`;
  return m ? `${m} min` : `${s} s`;
}
