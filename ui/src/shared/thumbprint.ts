/** The public half of a P-256 key as a JWK (RFC 7518 section 6.2.1). */
export interface PublicJwk {
  kty: "EC";
  crv: "P-256";
  x: string;
  y: string;
}

/** Bytes as base64url without padding (RFC 7515 section 2). */
export function base64url(bytes: Uint8Array): string {
  let s = "";
  for (const b of bytes) s += String.fromCharCode(b);
  return btoa(s).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Text as UTF-8 in base64url. */
export function base64urlText(text: string): string {
  return base64url(new TextEncoder().encode(text));
}

/** SHA-256 of UTF-8 text in base64url. */
export async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** The thumbprint of a key: the required members in lexical order, no spaces (RFC 7638 section 3). */
export function thumbprint(jwk: PublicJwk): Promise<string> {
  return sha256(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }));
}

/** A thumbprint's first characters in groups, for people to compare. */
export function fingerprint(print: string): string {
  return (
    print
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(0, 12)
      .toUpperCase()
      .match(/.{1,4}/g) ?? []
  ).join(" ");
}
