import { proof } from "./dpop";
import type { Identity } from "./identity";
import type { ThisClient } from "./model";

/** An access token and when it ends, in milliseconds by this machine's clock. */
interface Token {
  text: string;
  until: number;
}

const base = "/api/v1";
const early = 60_000;

/**
 * The way of this page to the API: it gets and renews the access token and
 * signs every request (RFC 9449).
 */
export class Access {
  client?: ThisClient;
  private token?: Token;
  private pending?: Promise<Token>;
  /** The server's clock minus ours, in milliseconds. */
  private skew = 0;

  constructor(readonly who: Identity) {}

  /** A token that lasts at least another minute, and when it ends. */
  async current(): Promise<Token> {
    if (this.token && this.token.until - early > Date.now()) return this.token;
    this.pending ??= this.renew().finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  /** Forgets the token, so that the next request gets a new one. */
  forget() {
    this.token = undefined;
  }

  /**
   * Sends a request with token and proof. A refused token is replaced and the
   * request repeated, once; a refused password is not, so that one try counts
   * as one.
   */
  fetch = async (request: Request): Promise<Response> => {
    const again = request.clone();
    const response = await this.send(request);
    if (response.status !== 401 || !aboutToken(response, request.url)) return response;
    this.forget();
    return this.send(again);
  };

  private async send(request: Request): Promise<Response> {
    const token = await this.current();
    request.headers.set("Authorization", `DPoP ${token.text}`);
    request.headers.set("DPoP", await this.prove(request.method, request.url, token.text));
    const response = await fetch(request);
    this.tell(response);
    return response;
  }

  private async renew(): Promise<Token> {
    const url = `${location.origin}${base}/token`;
    const ask = async () =>
      fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", DPoP: await this.prove("POST", url) },
        body: JSON.stringify({
          nameHint: machineName(location.hostname) ?? browserName(navigator.userAgent),
        }),
      });
    const asked = Date.now();
    let response = await ask();
    this.tell(response);
    // The first answer told the server's time; a clock that is wrong here is no reason to fail.
    if (response.status === 401 || response.status === 400) response = await ask();
    if (!response.ok) throw problem(response, await response.json().catch(() => undefined));
    const answer = (await response.json()) as {
      accessToken: string;
      expiresInMs: number;
      client: ThisClient;
    };
    this.client = answer.client;
    this.token = { text: answer.accessToken, until: asked + answer.expiresInMs };
    return this.token;
  }

  private prove(method: string, url: string, accessToken?: string): Promise<string> {
    return proof(this.who.key, this.who.jwk, {
      method,
      url,
      accessToken,
      now: (Date.now() + this.skew) / 1000,
      jti: crypto.randomUUID(),
    });
  }

  /** Learns the server's clock. The Date header has whole seconds: less than two are no difference. */
  private tell(response: Response) {
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (Number.isNaN(date)) return;
    const skew = date - Date.now();
    this.skew = Math.abs(skew) < 2000 ? 0 : skew;
  }
}

function aboutToken(response: Response, url: string): boolean {
  if (/^DPoP/i.test(response.headers.get("WWW-Authenticate") ?? "")) return true;
  return !/\/(identifications|setup)$/.test(new URL(url).pathname);
}

/** What went wrong, in words for a person; details are behind a click. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    title: string,
    readonly detail: string = "",
    /** Seconds until it makes sense to try again; 0 if the server did not say. */
    readonly retryAfter: number = 0,
    /** What is wrong where, such as "line 3, login" or "body.gateways[0].host". */
    readonly faults: readonly { where: string; what: string }[] = [],
  ) {
    super(title);
  }
}

/** Makes a Problem of a refusal and its body (RFC 9457). */
export function problem(response: Response, body?: unknown): Problem {
  const p = (typeof body === "object" && body !== null ? body : {}) as {
    title?: string;
    detail?: string;
    errors?: { location?: string; message?: string }[] | null;
  };
  const retry = Number(response.headers.get("Retry-After")) || 0;
  const faults = (p.errors ?? [])
    .map((e) => ({ where: e.location ?? "", what: e.message ?? "" }))
    .filter((f) => f.what);
  const title = p.title || response.statusText || `HTTP ${response.status}`;
  const detail = p.detail || faults.map((f) => f.what).join(". ");
  return new Problem(response.status, title, detail, retry, faults);
}

/** A host below localhost names a machine of its own, as in the demonstration: "desk1.localhost". */
function machineName(host: string): string | undefined {
  return host.endsWith(".localhost") ? host.slice(0, -".localhost".length) : undefined;
}

/** What this browser may be called until somebody names it: "Firefox on Linux". */
export function browserName(agent: string): string {
  const find = (names: [RegExp, string][]) => names.find(([sign]) => sign.test(agent))?.[1];
  const browser = find([
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\//, "Firefox"],
    [/Chrom(e|ium)\//, "Chrome"],
    [/Safari\//, "Safari"],
  ]);
  const system = find([
    [/Android/, "Android"],
    [/iPhone|iPad/, "iOS"],
    [/Windows/, "Windows"],
    [/CrOS/, "ChromeOS"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ]);
  return system ? `${browser ?? "Browser"} on ${system}` : (browser ?? "Browser");
}
