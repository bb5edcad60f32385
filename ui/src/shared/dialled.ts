/** What the field of the phone holds: a number to call, or a name to look for. */
export type Dialled =
  | { kind: "number"; number: string }
  | { kind: "name"; text: string }
  | { kind: "empty" };

/**
 * Reads what was typed or pasted. Numbers keep their digits, a leading plus,
 * star and hash; spaces, dots, dashes, slashes and brackets between them are
 * dropped, also the "(0)" of "+44 (0)20". tel: and sip: links are unwrapped.
 * Only a digit or a plus can begin a number, or a star that a digit follows.
 */
export function readDialled(typed: string): Dialled {
  let text = typed.normalize("NFKC").trim();
  if (text === "") return { kind: "empty" };
  const link = /^(?:tel|sips?|callto):(?:\/\/)?([^;?@]+)/i.exec(text);
  if (link) text = decode(link[1]!);
  // Directional marks and zero-width characters come along with copied numbers.
  text = text.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "").trim();
  if (/^\+/.test(text)) text = text.replace(/\(0\)/, "");
  if (!/^[+*#(\d][\d\s().\-/*#\u2010-\u2015]*$/.test(text)) return { kind: "name", text };
  const number = text.replace(/[^\d+*#]/g, "");
  return /\d|^[*#]+$/.test(number) ? { kind: "number", number } : { kind: "name", text };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
