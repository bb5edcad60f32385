// The SIP side of the mock: just enough of RFC 3261 over WebSocket for JsSIP.
import { randomBytes } from "node:crypto";
import { WebSocketServer } from "ws";

const token = () => randomBytes(6).toString("hex");

function parse(text) {
  const [head, body = ""] = text.split(/\r\n\r\n([\s\S]*)/);
  const [start, ...lines] = head.split("\r\n");
  const headers = {};
  for (const line of lines) {
    const at = line.indexOf(":");
    const name = line.slice(0, at).trim().toLowerCase();
    headers[name] ??= [];
    headers[name].push(line.slice(at + 1).trim());
  }
  return { start, headers, body, get: (n) => headers[n]?.[0] ?? "" };
}

/** Serves /sip on an HTTP server; peer makes the far end's SDP. */
export class MockSip {
  flows = new Map(); // client -> { ws, contact }
  dialogs = new Map(); // Call-ID -> dialog
  log = [];

  constructor(server, { peer, accepts, behave }) {
    this.peer = peer;
    this.accepts = accepts;
    this.behave = behave;
    const wss = new WebSocketServer({ noServer: true, handleProtocols: () => "sip" });
    server.on("upgrade", (req, socket, head) => {
      if (this.down) return socket.destroy();
      wss.handleUpgrade(req, socket, head, (ws) => {
        ws.on("message", (m) => void this.receive(ws, m.toString()));
        ws.on("close", () => {
          for (const [c, f] of this.flows) if (f.ws === ws) this.flows.delete(c);
        });
      });
    });
    this.wss = wss;
  }

  send(ws, start, headers, body = "") {
    const lines = [start];
    for (const [n, v] of Object.entries(headers))
      for (const one of Array.isArray(v) ? v : [v]) lines.push(`${n}: ${one}`);
    if (body) lines.push("Content-Type: application/sdp");
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`, "", body);
    this.log.push(`> ${start}`);
    if (ws.readyState === 1) ws.send(lines.join("\r\n"));
  }

  reply(ws, req, code, reason, extra = {}, body = "", tag = "") {
    const to = req.get("to");
    this.send(
      ws,
      `SIP/2.0 ${code} ${reason}`,
      {
        Via: req.headers.via,
        From: req.get("from"),
        To: tag && !/tag=/.test(to) ? `${to};tag=${tag}` : to,
        "Call-ID": req.get("call-id"),
        CSeq: req.get("cseq"),
        ...extra,
      },
      body,
    );
  }

  async receive(ws, text) {
    const msg = parse(text);
    this.log.push(`< ${msg.start}`);
    if (msg.start.startsWith("SIP/2.0")) return this.response(msg);
    const [method, uri] = msg.start.split(" ");
    const dialog = this.dialogs.get(msg.get("call-id"));
    switch (method) {
      case "REGISTER": {
        const client = /sip:([^@]+)@/.exec(msg.get("to"))[1];
        if (!this.accepts(client, msg.get("authorization")))
          return this.reply(ws, msg, 401, "Unauthorized", {}, "", token());
        const gone = /expires=0|^0$/.test(msg.get("contact") + msg.get("expires"));
        if (gone) this.flows.delete(client);
        else this.flows.set(client, { ws, contact: /<([^>]+)>/.exec(msg.get("contact"))[1] });
        return this.reply(ws, msg, 200, "OK", { Contact: msg.get("contact") }, "", token());
      }
      case "INVITE":
        return dialog ? this.again(ws, msg, dialog) : this.invited(ws, msg, uri);
      case "CANCEL": {
        this.reply(ws, msg, 200, "OK");
        if (dialog?.invite)
          this.reply(ws, dialog.invite, 487, "Request Terminated", {}, "", dialog.tag);
        return this.over(dialog, "cancelled");
      }
      case "BYE":
        this.reply(ws, msg, 200, "OK");
        return this.over(dialog, "normal");
      case "ACK":
        return;
      default:
        return this.reply(ws, msg, 200, "OK", {}, "", token());
    }
  }

  async invited(ws, msg, uri) {
    const number = decodeURIComponent(/sip:([^@]+)@/.exec(uri)[1]);
    const client = [...this.flows].find(([, f]) => f.ws === ws)?.[0];
    const d = { id: msg.get("call-id"), tag: token(), ws, invite: msg, client, number, out: true };
    this.dialogs.set(d.id, d);
    this.reply(ws, msg, 100, "Trying");
    const act = this.behave(number);
    this.onCall?.(d, "ringing");
    if (act.refuse) {
      this.reply(ws, msg, act.refuse, act.reason, {}, "", d.tag);
      return this.over(d, act.reason);
    }
    this.reply(
      ws,
      msg,
      180,
      "Ringing",
      { Contact: "<sip:mock@127.0.0.1;transport=ws>" },
      "",
      d.tag,
    );
    if (!act.answer) return;
    await act.answer;
    if (!this.dialogs.has(d.id)) return;
    d.peer = await this.peer.answer(msg.body);
    this.reply(
      ws,
      msg,
      200,
      "OK",
      { Contact: "<sip:mock@127.0.0.1;transport=ws>" },
      d.peer.sdp,
      d.tag,
    );
    d.invite = undefined;
    d.local = `${msg.get("to")};tag=${d.tag}`;
    d.remote = msg.get("from");
    d.target = /<([^>]+)>/.exec(msg.get("contact"))[1];
    this.onCall?.(d, "talking");
  }

  async again(ws, msg, d) {
    const sdp = await this.peer.again(d.peer.id, msg.body);
    this.reply(ws, msg, 200, "OK", { Contact: "<sip:mock@127.0.0.1;transport=ws>" }, sdp);
  }

  /** Calls a registered client. */
  async call(client, { number, name }) {
    const flow = this.flows.get(client);
    if (!flow) throw new Error(`${client} is not registered`);
    const peer = await this.peer.offer();
    const d = {
      id: token() + token(),
      ws: flow.ws,
      client,
      number,
      name,
      peer,
      local: `${name ? `"${name}" ` : ""}<sip:${number}@mock.test>;tag=${token()}`,
      remote: `<sip:${client}@mock.test>`,
      target: flow.contact,
      branch: `z9hG4bK${token()}`,
    };
    this.dialogs.set(d.id, d);
    this.request(d, "INVITE", 1, peer.sdp);
    this.onCall?.(d, "ringing");
    return d;
  }

  request(d, method, cseq, body = "", branch = `z9hG4bK${token()}`) {
    this.send(
      d.ws,
      `${method} ${d.target} SIP/2.0`,
      {
        Via: `SIP/2.0/WS mock.invalid;branch=${method === "INVITE" || method === "CANCEL" ? (d.branch ?? branch) : branch}`,
        "Max-Forwards": "70",
        From: d.local,
        To: d.remote,
        "Call-ID": d.id,
        CSeq: `${cseq} ${method}`,
        Contact: "<sip:mock@127.0.0.1;transport=ws>",
      },
      body,
    );
  }

  async response(msg) {
    const d = this.dialogs.get(msg.get("call-id"));
    if (!d || !/INVITE/.test(msg.get("cseq"))) return;
    const code = Number(msg.start.split(" ")[1]);
    if (code < 200) return;
    d.remote = msg.get("to");
    const contact = /<([^>]+)>/.exec(msg.get("contact"));
    if (code < 300 && contact) d.target = contact[1];
    this.request(d, "ACK", 1, "", code < 300 ? undefined : d.branch);
    if (code >= 300) return this.over(d, msg.start);
    await this.peer.accept(d.peer.id, msg.body);
    this.onCall?.(d, "talking");
  }

  hangUp(d) {
    this.request(d, "BYE", 2);
    this.over(d, "normal");
  }

  cancel(d) {
    this.request(d, "CANCEL", 1);
    this.over(d, "cancelled");
  }

  over(d, cause) {
    if (!d) return;
    this.dialogs.delete(d.id);
    if (d.peer) void this.peer.close(d.peer.id);
    this.onCall?.(d, "over", cause);
  }

  /** Drops every connection; down refuses new ones. */
  cut(down) {
    this.down = down;
    for (const ws of this.wss.clients) ws.terminate();
  }
}
