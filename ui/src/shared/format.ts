/** A duration of a call: 0:07, 12:05, 1:02:09. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** A length of time in words: 45 seconds, 1 minute, 2 minutes 30 seconds. */
export function long(ms: number): string {
  const s = Math.round(ms / 1000);
  const say = (n: number, one: string) => (n ? [`${n} ${one}${n === 1 ? "" : "s"}`] : []);
  return [...say(Math.floor(s / 60), "minute"), ...say(s % 60, "second")].join(" ");
}

/** A number in groups that a person can read and compare; short ones stay as they are. */
export function pretty(number: string): string {
  const plus = number.startsWith("+");
  const digits = plus ? number.slice(1) : number;
  if (!/^\d+$/.test(digits) || digits.length < 7) return number;
  const head = plus ? country(digits) : digits.length % 3 || 3;
  const rest = digits.slice(head);
  const size = rest.length % 3 === 1 ? rest.length - 4 : rest.length;
  const groups = rest.slice(0, size).match(/.{1,3}/g) ?? [];
  const tail = rest.slice(size).match(/.{2}/g) ?? [];
  return [`${plus ? "+" : ""}${digits.slice(0, head)}`, ...groups, ...tail].join(" ");
}

/** How many digits the country code has (ITU-T E.164, list of assigned codes). */
function country(digits: string): number {
  if (/^[17]/.test(digits)) return 1;
  if (/^(2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/.test(digits)) return 2;
  return 3;
}

const day = 86_400_000;

/** When something was, as short as is clear: 14:05, Yesterday 9:12, Mon 9:12, 3 May. */
export function when(time: string | Date, now: Date, yesterday: string, locale?: string): string {
  const t = new Date(time);
  const at = t.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  const days = Math.round((midnight(now) - midnight(t)) / day);
  if (days <= 0) return at;
  if (days === 1) return `${yesterday} ${at}`;
  if (days < 7) return `${t.toLocaleDateString(locale, { weekday: "short" })} ${at}`;
  return t.toLocaleDateString(locale, {
    day: "numeric",
    month: "short",
    year: t.getFullYear() === now.getFullYear() ? undefined : "numeric",
  });
}

function midnight(t: Date): number {
  return Date.UTC(t.getFullYear(), t.getMonth(), t.getDate());
}
