// The administrator's part of the mock API.
import { Refusal } from "./server.mjs";

export function administer(mock, req, url, path, body) {
  const { site } = mock;
  const [, kind, id, sub] = path.split("/").map(decodeURIComponent);
  const act = `${req.method} ${kind}${sub ? `/${sub}` : id ? "/:id" : ""}`;
  const match = (url.searchParams.get("match") ?? "").toLowerCase();
  const lists = {
    users: site.users,
    clients: site.clients,
    places: site.places,
    trunks: site.trunks,
  };
  const one = lists[kind]?.find((x) => x.id === id);
  switch (act) {
    case "GET users":
    case "GET clients":
    case "GET places":
    case "GET trunks":
      return {
        items: lists[kind].filter((x) =>
          JSON.stringify([x.name, x.login, x.numbers]).toLowerCase().includes(match),
        ),
      };
    case "GET trunks/:id":
      if (id === "status") return { items: site.trunkStatus };
      return one;
    case "GET numbers":
      return {
        items: site.users.flatMap((u) =>
          u.numbers.map((number) => ({
            number,
            to: { kind: "user", id: u.id },
            toName: u.name,
            rev: "1",
          })),
        ),
      };
    case "GET bindings":
      return { items: site.bindings };
    case "GET stays": {
      const [user, client] = ["user", "client"].map((k) => url.searchParams.get(k));
      const now = site.bindings.map((binding) => ({ binding }));
      return {
        items: [...now, ...site.stays]
          .filter((s) => !user || s.binding.user === user)
          .filter((s) => !client || s.binding.client === client)
          .sort((a, b) => b.binding.since.localeCompare(a.binding.since)),
      };
    }
    case "GET calls":
      return { items: [...mock.calls.values()] };
    case "GET records": {
      const user = url.searchParams.get("user");
      return { items: site.records.filter((r) => !user || r.user === user || r.callerBy === user) };
    }
    case "GET records/:id":
      return site.records.find((r) => r.id === id);
    case "GET calls/story":
      return { items: id === "k_r1" ? story(site.records[0]) : [] };
    case "POST users":
      if (site.users.some((u) => u.login === body.login))
        throw new Refusal(409, "Somebody else has this login");
      return site.addUser(body);
    case "POST trunks":
      body.in?.forEach((r, i) => {
        if (r.match.includes("(") && !r.match.includes(")"))
          throw new Refusal(422, "This trunk is not right", {}, [
            { location: `body.in[${i}].match`, message: "a bracket is missing: )" },
          ]);
      });
      site.trunks.push({ ...body, password: undefined, id: `t_${body.name}`, rev: 1 });
      return site.trunks.at(-1);
    case "POST import":
      return importTable(site, body);
    case "POST clients/admit":
      Object.assign(one, { state: "admitted" }, body.name && { name: body.name });
      mock.tell({ event: "reach", client: one.id, reached: true });
      return one;
    case "POST clients/revoke":
      one.state = "revoked";
      return one;
    case "PUT clients/binding": {
      const user = site.users.find((u) => u.id === body.user || u.login === body.user);
      return mock.bind(user, one, "administrator");
    }
    case "DELETE clients/binding":
      mock.release(id, "administrator");
      return undefined;
    case "POST enrolment-codes":
      return { code: "K7QF-2MXD", expires: new Date(Date.now() + 900_000).toISOString() };
    case "PATCH users/:id":
    case "PATCH clients/:id":
    case "PATCH trunks/:id":
    case "PUT users/:id":
    case "PUT clients/:id":
    case "PUT trunks/:id":
      return Object.assign(one, body);
    case "DELETE users/:id":
    case "DELETE trunks/:id":
      lists[kind].splice(lists[kind].indexOf(one), 1);
      return undefined;
  }
  return undefined;
}

/** Adds the people of a simple table, all or none. */
function importTable(site, text) {
  const rows = text.trim().split(/\r?\n/).slice(1);
  const people = rows
    .map((r) => r.split(","))
    .map(([login, name, number]) => ({
      login,
      name,
      numbers: number?.split(";").filter(Boolean) ?? [],
    }));
  const errors = people.flatMap((p, i) => {
    const at = (column, message) => ({ location: `line ${i + 2}, ${column}`, message });
    return [
      ...(site.users.some((u) => u.login === p.login) ? [at("login", "is somebody else’s")] : []),
      ...p.numbers
        .filter((n) => site.users.some((u) => u.numbers.includes(n)))
        .map((n) => at("numbers", `${n} leads to somebody else`)),
    ];
  });
  if (errors.length) throw new Refusal(422, "Nothing was imported", {}, errors);
  for (const p of people) site.addUser(p);
  return { users: people.length, numbers: people.flatMap((p) => p.numbers).length };
}

function story(r) {
  const t0 = Date.parse(r.offered);
  const at = (ms) => new Date(t0 + ms).toISOString();
  const sip = (ms, from, to, text, leg) => ({
    at: at(ms),
    leg,
    kind: "sip",
    from,
    to,
    text,
    body: `${text}\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\nFrom: <sip:+34600123456@carrier.example>;tag=a1\r\nTo: <sip:+34910000001@roamline.test>\r\nCall-ID: 7f3c@carrier.example\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`,
  });
  return [
    sip(0, "Carrier", "server", "INVITE", "k_r1.1"),
    sip(1, "server", "Carrier", "100 Trying", "k_r1.1"),
    {
      at: at(1),
      kind: "route",
      text: "+34910000001 leads to Ana Pereira, who is at Ward 3, desk 1",
      body: "ring c_w3d1 for 30 s, then refuse: no answer",
    },
    {
      at: at(1),
      kind: "who",
      text: "Ana Pereira at Ward 3, desk 1 since 09:12, by password",
      body: "",
    },
    sip(2, "server", "Ward 3, desk 1", "INVITE", "k_r1.2"),
    sip(31, "Ward 3, desk 1", "server", "180 Ringing", "k_r1.2"),
    sip(32, "server", "Carrier", "180 Ringing", "k_r1.1"),
    { at: at(32), kind: "event", text: "routing -> ringing" },
    sip(6200, "Ward 3, desk 1", "server", "200 OK", "k_r1.2"),
    sip(6201, "server", "Ward 3, desk 1", "ACK", "k_r1.2"),
    {
      at: at(6260),
      kind: "voice",
      text: "Ward 3, desk 1: ICE and DTLS up, PCMA",
      body: "AES-128-GCM, first packet after 58 ms",
    },
    sip(6262, "server", "Carrier", "200 OK", "k_r1.1"),
    sip(6275, "Carrier", "server", "ACK", "k_r1.1"),
    { at: at(6275), kind: "event", text: "joining -> talking" },
    sip(198_000, "Carrier", "server", "BYE", "k_r1.1"),
    sip(198_001, "server", "Carrier", "200 OK", "k_r1.1"),
    sip(198_001, "server", "Ward 3, desk 1", "BYE", "k_r1.2"),
    sip(198_020, "Ward 3, desk 1", "server", "200 OK", "k_r1.2"),
    {
      at: at(198_020),
      kind: "voice",
      text: "Ward 3, desk 1: 9610 received, 11 lost, jitter 4 ms, round trip 19 ms",
    },
  ];
}
