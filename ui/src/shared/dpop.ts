import { base64url, base64urlText, type PublicJwk, sha256 } from "./thumbprint";

/** What a proof is about. */
export interface ProofOf {
  method: string;
  url: string;
  accessToken?: string;
  /** Seconds since 1970, by the server's clock. */
  now: number;
  jti: string;
}

/** A proof of possession of the key for one request (RFC 9449 section 4.2). */
export async function proof(key: CryptoKey, jwk: PublicJwk, of: ProofOf): Promise<string> {
  const header = { typ: "dpop+jwt", alg: "ES256", jwk };
  const claims: Record<string, string | number> = {
    jti: of.jti,
    htm: of.method.toUpperCase(),
    htu: target(of.url),
    iat: Math.floor(of.now),
  };
  if (of.accessToken) claims.ath = await sha256(of.accessToken);
  const input = `${base64urlText(JSON.stringify(header))}.${base64urlText(JSON.stringify(claims))}`;
  // WebCrypto's ECDSA signature is R followed by S, as JWS wants it (RFC 7518 section 3.4).
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    new TextEncoder().encode(input),
  );
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

/** The htu of a URL: without query and fragment (RFC 9449 section 4.2). */
export function target(url: string): string {
  const u = new URL(url);
  return u.origin + u.pathname;
}
