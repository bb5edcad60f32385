import { webcrypto } from "node:crypto";
import { describe, expect, it } from "vitest";
import { proof, target } from "./dpop";
import type { PublicJwk } from "./thumbprint";
import { base64urlText, sha256, thumbprint } from "./thumbprint";

const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());

async function key() {
  const pair = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ]);
  const { x, y } = await webcrypto.subtle.exportKey("jwk", pair.publicKey);
  const jwk: PublicJwk = { kty: "EC", crv: "P-256", x: x!, y: y! };
  return { pair, jwk };
}

describe("a proof (RFC 9449 section 4.2)", () => {
  const of = {
    method: "get",
    url: "https://pbx.test/api/v1/client?x=1#y",
    now: 1.7e9 + 0.9,
    jti: "j1",
  };

  it("names method, address without query and fragment, time and key, and is signed by the key", async () => {
    const { pair, jwk } = await key();
    const [h, p, s] = (await proof(pair.privateKey as CryptoKey, jwk, of)).split(".");
    expect(decode(h!)).toEqual({ typ: "dpop+jwt", alg: "ES256", jwk });
    expect(decode(p!)).toEqual({
      jti: "j1",
      htm: "GET",
      htu: "https://pbx.test/api/v1/client",
      iat: 1.7e9,
    });
    const good = await webcrypto.subtle.verify(
      { name: "ECDSA", hash: "SHA-256" },
      pair.publicKey,
      Buffer.from(s!, "base64url"),
      Buffer.from(`${h}.${p}`),
    );
    expect(good).toBe(true);
  });

  it("carries the hash of the access token that it goes with", async () => {
    const { pair, jwk } = await key();
    const text = await proof(pair.privateKey as CryptoKey, jwk, { ...of, accessToken: "abc" });
    expect(decode(text.split(".")[1]!).ath).toBe(await sha256("abc"));
  });

  it("keeps a port and drops the rest", () => {
    expect(target("http://desk1.localhost:8080/api/v1/token?a#b")).toBe(
      "http://desk1.localhost:8080/api/v1/token",
    );
  });
});

describe("a thumbprint (RFC 7638)", () => {
  it("hashes the required members in their order and no others", async () => {
    const jwk = { kty: "EC", crv: "P-256", x: "a", y: "b", kid: "no" } as PublicJwk;
    expect(await thumbprint(jwk)).toBe(await sha256('{"crv":"P-256","kty":"EC","x":"a","y":"b"}'));
  });

  it("agrees with the hash of RFC 7515 appendix A.3's key", async () => {
    const jwk: PublicJwk = {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    };
    // Made with Node's own crypto from the members written by hand.
    const { createHash } = await import("node:crypto");
    const text = `{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`;
    expect(await thumbprint(jwk)).toBe(createHash("sha256").update(text).digest("base64url"));
  });

  it("is base64url without padding", () => {
    expect(base64urlText("ü?>")).toBe("w7w_Pg");
  });
});
