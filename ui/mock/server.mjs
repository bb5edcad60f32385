// A server that looks like Roamline's to the pages: API, events, SIP. For
// development and screenshots only; it keeps nothing and protects nothing.
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { administer } from "./administer.mjs";
import { MockSip } from "./sip.mjs";
import { makeSite } from "./site.mjs";

const dist = new URL("../dist/", import.meta.url).pathname;
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
/** As strict as the server's own policy, so that what it would refuse is found here. */
const csp = (nonce) =>
  `default-src 'self'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; media-src 'self' blob:; connect-src 'self' ws:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;

const hash = (text) => createHash("sha256").update(text).digest("base64url");

/** A refusal as RFC 9457 writes it. */
export class Refusal extends Error {
  constructor(status, title, headers = {}, errors = undefined) {
    super(title);
    Object.assign(this, { status, headers, errors });
  }
}

export class MockServer {
  site = makeSite();
  streams = new Set(); // { res, client }
  calls = new Map();
  jtis = new Set();

  constructor({ peer, admitAll = true } = {}) {
    this.admitAll = admitAll;
    this.http = createServer((req, res) => void this.serve(req, res));
    this.sip = new MockSip(this.http, {
      peer,
      accepts: (client, auth) => auth === `Bearer token-${client}`,
      behave: (number) => this.behave(number),
    });
    this.sip.onCall = (d, state, cause) => this.called(d, state, cause);
    this.answers = Promise.resolve();
    setInterval(() => this.tick(), 1000).unref();
  }

  behave(number) {
    if (number === "486") return { refuse: 486, reason: "Busy Here" };
    if (number === "404") return { refuse: 404, reason: "Not Found" };
    if (number === "1099") return {};
    return { answer: this.answers };
  }

  listen(port = 0) {
    return new Promise((done) =>
      this.http.listen(port, "127.0.0.1", () => done(this.http.address().port)),
    );
  }

  close() {
    for (const s of this.streams) s.res.destroy();
    this.sip.cut(true);
    this.http.closeAllConnections();
    return new Promise((done) => this.http.close(done));
  }

  // ---- HTTP ----

  async serve(req, res) {
    if (this.down) return req.socket.destroy();
    const url = new URL(req.url, `http://${req.headers.host}`);
    try {
      if (!url.pathname.startsWith("/api/")) return await this.page(url, res);
      let body = "";
      for await (const piece of req) body += piece;
      if (/json/.test(req.headers["content-type"])) body = JSON.parse(body);
      const answer = await this.answer(req, res, url, body || {});
      if (answer === res) return;
      if (answer === undefined) return res.writeHead(204).end();
      res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
    } catch (e) {
      if (!(e instanceof Refusal)) console.error(e);
      res
        .writeHead(e.status ?? 500, { "Content-Type": "application/problem+json", ...e.headers })
        .end(JSON.stringify({ status: e.status ?? 500, title: e.message, errors: e.errors }));
    }
  }

  async page(url, res) {
    if (url.pathname === "/peer")
      return res.writeHead(200, { "Content-Type": "text/html" }).end("<p>");
    const name = extname(url.pathname) ? url.pathname : "index.html";
    try {
      const data = await readFile(join(dist, name));
      if (name !== "index.html")
        return res
          .writeHead(200, { "Content-Type": types[extname(name)] ?? "text/plain" })
          .end(data);
      const nonce = randomBytes(12).toString("base64");
      res
        .writeHead(200, { "Content-Type": types[".html"], "Content-Security-Policy": csp(nonce) })
        .end(data.toString().replaceAll("__CSP_NONCE__", nonce));
    } catch {
      res.writeHead(404).end();
    }
  }

  /** Verifies the proof as the server does and returns the key's thumbprint (RFC 9449 section 4.3). */
  prove(req, url, token) {
    const [h, p, s] = String(req.headers.dpop).split(".");
    const { jwk, alg, typ } = JSON.parse(Buffer.from(h, "base64url"));
    const claims = JSON.parse(Buffer.from(p, "base64url"));
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const good =
      alg === "ES256" &&
      typ === "dpop+jwt" &&
      verify(
        "sha256",
        `${h}.${p}`,
        { key, dsaEncoding: "ieee-p1363" },
        Buffer.from(s, "base64url"),
      ) &&
      claims.htm === req.method &&
      claims.htu === url.origin + url.pathname &&
      Math.abs(claims.iat - Date.now() / 1000) < 60 &&
      !this.jtis.has(claims.jti) &&
      (!token || claims.ath === hash(token));
    if (!good)
      throw new Refusal(401, "The proof does not hold", {
        "WWW-Authenticate": 'DPoP error="invalid_dpop_proof"',
      });
    this.jtis.add(claims.jti);
    return hash(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }));
  }

  async answer(req, res, url, body) {
    const path = url.pathname.replace("/api/v1", "");
    const { site } = this;
    if (path === "/token") {
      const print = this.prove(req, url);
      let client = site.clients.find((c) => c.thumbprint === print);
      if (!client) {
        client = site.newClient(print, this.admitAll);
        this.tell({ event: "reach", client: client.id, reached: false });
      }
      return { accessToken: `token-${client.id}`, expiresInMs: 600_000, client };
    }
    const token = /^DPoP (.*)$/.exec(req.headers.authorization ?? "")?.[1] ?? "";
    this.prove(req, url, token);
    const client = site.clients.find((c) => `token-${c.id}` === token);
    if (!client)
      throw new Refusal(401, "Unknown token", { "WWW-Authenticate": 'DPoP error="invalid_token"' });
    const binding = site.bindings.find((b) => b.client === client.id) ?? null;
    const user = site.users.find((u) => u.id === binding?.user) ?? null;
    const act = `${req.method} ${path}`;
    switch (act) {
      case "GET /client":
        return { client, binding, user, site: site.public };
      case "POST /client/enrol":
        if (body.code !== "WARD-3") throw new Refusal(404, "This code is not known, or was used");
        client.state = "admitted";
        return client;
      case "POST /client/identifications":
        return this.identify(client, body);
      case "DELETE /client/binding":
        this.release(client.id, "signed out");
        return undefined;
      case "GET /client/events":
        return this.stream(res, client, user);
      case "GET /client/calls":
        return { items: user ? (site.recent[user.id] ?? []) : [] };
      case "GET /client/settings":
      case "PUT /client/settings":
        return this.settings(req.method === "PUT", user, body);
      case "GET /client/contacts":
        return { items: site.contacts(url.searchParams.get("match") ?? "") };
      case "POST /setup": {
        const first = site.addUser({ ...body, roles: ["administrator"] });
        client.state = "admitted";
        this.bind(first, client, "password");
        return { user: first };
      }
    }
    if (!user?.roles.includes("administrator"))
      throw new Refusal(403, "Only an administrator may do this");
    return administer(this, req, url, path, body, client);
  }

  identify(client, { login, secret }) {
    const user = this.site.users.find((u) => u.login === login || u.numbers.includes(login));
    if (login === "slow") throw new Refusal(429, "Too many tries", { "Retry-After": "30" });
    if (!user || !["correct horse", "2580"].includes(secret)) throw new Refusal(401, "Not proven");
    return { user, binding: this.bind(user, client, "password") };
  }

  settings(change, user, calls) {
    if (!user) throw new Refusal(403, "Nobody is signed in here");
    if (change) {
      for (const [field, number] of Object.entries(calls))
        if (this.site.public.emergency.includes(number))
          throw new Refusal(422, "That can't be used", {}, [
            {
              location: `body.${field}`,
              message: "calls can't be forwarded to an emergency number",
            },
          ]);
      user.calls = calls;
      user.rev++;
    }
    return { calls: user.calls, ringMs: 30_000, siteWaitMs: 0, emergency: ["112"], rev: user.rev };
  }

  bind(user, client, method) {
    const { site } = this;
    const binding = {
      user: user.id,
      client: client.id,
      since: new Date().toISOString(),
      method,
      userName: user.name,
      clientName: client.name,
    };
    for (const old of site.bindings.filter((b) => b.user === user.id || b.client === client.id))
      this.release(
        old.client,
        old.user === user.id ? "identified elsewhere" : "another user came",
        binding,
      );
    site.bindings.push(binding);
    this.tell({ event: "bound", ...binding });
    return binding;
  }

  release(client, reason, by) {
    const binding = this.site.bindings.find((b) => b.client === client);
    if (!binding) return;
    this.site.bindings.splice(this.site.bindings.indexOf(binding), 1);
    this.tell({ event: "released", binding, reason, by });
  }

  // ---- events ----

  stream(res, client, user) {
    res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const s = { res, client: client.id };
    this.streams.add(s);
    res.on("close", () => this.streams.delete(s));
    for (const b of this.site.bindings) this.to(s, { event: "bound", ...b });
    for (const [id] of this.sip.flows) this.to(s, { event: "reach", client: id, reached: true });
    for (const c of this.calls.values()) this.to(s, { event: "call", ...c });
    for (const t of this.site.trunkStatus) this.to(s, { event: "trunk", ...t });
    this.to(s, { event: "ready" });
    void user;
    return res;
  }

  to(s, { event, ...data }) {
    s.res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  tell(news) {
    for (const s of this.streams) this.to(s, news);
  }

  // ---- calls ----

  called(d, state, cause) {
    const now = new Date().toISOString();
    const { site } = this;
    const client = site.clients.find((c) => c.id === d.client);
    const binding = site.bindings.find((b) => b.client === d.client);
    const user = site.users.find((u) => u.id === binding?.user);
    const c = this.calls.get(d.id) ?? {
      id: `k_${d.id.slice(0, 12)}`,
      from: d.out
        ? { number: user?.numbers[0] ?? "", name: user?.name ?? client?.name }
        : { number: d.number, name: d.name },
      to: d.out ? d.number : (user?.numbers[0] ?? ""),
      user: d.out ? undefined : user?.id,
      callerBy: d.out ? user?.id : undefined,
      offered: now,
      legs: [
        { id: "1", state: "up", trunk: "t_carrier", trunkName: "Carrier", number: d.number },
        {
          id: "2",
          state: "ringing",
          client: d.client,
          clientName: client?.name,
          user: user?.id,
          figures: {
            received: 0,
            sent: 0,
            lost: 0,
            discarded: 0,
            farLost: 0,
            jitterMs: 3,
            farJitterMs: 4,
            roundTripMs: 18,
          },
        },
      ],
    };
    c.state = state;
    if (state === "talking") c.answered = now;
    if (cause) c.cause = cause;
    this.calls.set(d.id, c);
    this.tell({ event: "call", ...c });
    if (state === "over") this.calls.delete(d.id);
  }

  /** How bad the voice is, 0 to 1. */
  badness = 0;

  tick() {
    for (const s of this.streams) s.res.write(": still here\n\n");
    for (const c of this.calls.values()) {
      const f = c.legs.find((l) => l.figures)?.figures;
      if (c.state !== "talking" || !f) continue;
      const wave = Math.sin(f.received / 170) + 1;
      f.received += 50;
      f.sent += 50;
      f.lost += Math.round(this.badness * 5 * wave);
      f.jitterMs = Math.round(3 + wave * 2 + this.badness * 40);
      f.roundTripMs = Math.round(16 + wave * 4 + this.badness * 200);
      this.tell({ event: "call", ...c });
    }
  }
}
