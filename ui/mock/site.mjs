// A made-up site with enough in it to see every state of the pages.
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

export function makeSite() {
  const users = [
    {
      id: "u_ana",
      login: "ana",
      name: "Ana Pereira",
      numbers: ["1001", "+34910000001"],
      roles: ["administrator"],
      language: "en",
      rev: 1,
    },
    {
      id: "u_ben",
      login: "ben",
      name: "Ben Okafor",
      numbers: ["1002"],
      roles: [],
      language: "en",
      rev: 1,
    },
    {
      id: "u_chi",
      login: "chidera",
      name: "Chidera Nwachukwu-Featherstonehaugh",
      numbers: ["1003", "+34910000003"],
      roles: [],
      rev: 1,
    },
    { id: "u_dal", login: "dalia", name: "داليا منصور", numbers: ["1004"], roles: [], rev: 1 },
    {
      id: "u_eve",
      login: "eve",
      name: "Eve Lindqvist",
      numbers: [],
      roles: [],
      disabled: true,
      rev: 1,
    },
    { id: "u_fay", login: "fay", name: "Fay Moreau", numbers: ["1006"], roles: [], rev: 1 },
  ];
  for (const u of users) u.calls = {};
  const places = [
    { id: "p_main", name: "Main building", rev: 1 },
    { id: "p_w3", name: "Ward 3", within: "p_main", rev: 1 },
    { id: "p_w4", name: "Ward 4", within: "p_main", rev: 1 },
  ];
  const clients = [
    {
      id: "c_w3d1",
      name: "Ward 3, desk 1",
      kind: "browser",
      state: "admitted",
      placeId: "p_w3",
      placeName: "Ward 3",
      thumbprint: "x1",
      created: ago(9000),
      reached: true,
      rev: 1,
    },
    {
      id: "c_w3d2",
      name: "Ward 3, desk 2",
      kind: "browser",
      state: "admitted",
      placeId: "p_w3",
      placeName: "Ward 3",
      thumbprint: "x2",
      created: ago(9000),
      reached: true,
      rev: 1,
    },
    {
      id: "c_w4ph",
      name: "Ward 4, wall phone",
      kind: "phone",
      state: "admitted",
      placeId: "p_w4",
      placeName: "Ward 4",
      login: "ward4",
      created: ago(9000),
      reached: true,
      rev: 1,
    },
    {
      id: "c_lab",
      name: "Laboratory",
      kind: "browser",
      state: "admitted",
      placeId: "p_main",
      placeName: "Main building",
      thumbprint: "x3",
      created: ago(700),
      reached: false,
      rev: 1,
    },
    {
      id: "c_new",
      name: "Firefox on Linux",
      kind: "browser",
      state: "waiting",
      placeId: "",
      placeName: "",
      thumbprint: "Qk3vXyT0aB9zLmN4",
      created: ago(3),
      reached: false,
      rev: 1,
    },
    {
      id: "c_old",
      name: "Old reception",
      kind: "browser",
      state: "revoked",
      thumbprint: "x5",
      created: ago(90000),
      reached: false,
      rev: 1,
    },
  ];
  const bindings = [
    {
      user: "u_ben",
      client: "c_w3d2",
      since: ago(42),
      method: "pin",
      userName: "Ben Okafor",
      clientName: "Ward 3, desk 2",
    },
    {
      user: "u_dal",
      client: "c_w4ph",
      since: ago(7),
      method: "password",
      userName: "داليا منصور",
      clientName: "Ward 4, wall phone",
    },
  ];
  const stay = (user, client, from, until, method, reason) => ({
    binding: {
      user,
      client,
      since: ago(from),
      method,
      userName: users.find((u) => u.id === user)?.name ?? "",
      clientName: clients.find((c) => c.id === client)?.name ?? "",
    },
    until: ago(until),
    reason,
  });
  const stays = [
    stay("u_ben", "c_w3d1", 300, 43, "pin", "identified elsewhere"),
    stay("u_chi", "c_w3d2", 410, 42.5, "password", "another user came"),
    stay("u_fay", "c_lab", 700, 690, "administrator", "connection lost"),
    stay("u_ana", "c_w3d1", 1500, 1020, "password", "signed out"),
    stay("u_dal", "c_w4ph", 9000, 4300, "administrator", "idle"),
  ];
  const recent = {
    u_ana: [
      {
        id: "k_1",
        direction: "in",
        party: { number: "+34600123456", name: "" },
        time: ago(6),
        durationMs: 0,
        answered: false,
        cause: "no answer",
      },
      {
        id: "k_2",
        direction: "out",
        party: { number: "1002", name: "Ben Okafor" },
        time: ago(25),
        durationMs: 192_000,
        answered: true,
        cause: "normal",
      },
      {
        id: "k_3",
        direction: "in",
        party: { number: "+442079460018", name: "Great Ormond Street pathology, night desk" },
        time: ago(190),
        durationMs: 3_725_000,
        answered: true,
        cause: "normal",
      },
      {
        id: "k_4",
        direction: "out",
        party: { number: "1004", name: "داليا منصور" },
        time: ago(1500),
        durationMs: 0,
        answered: false,
        cause: "busy",
      },
      {
        id: "k_5",
        direction: "in",
        party: { number: "", private: true },
        time: ago(2900),
        durationMs: 61_000,
        answered: true,
        cause: "normal",
      },
      {
        id: "k_6",
        direction: "in",
        party: { number: "1003", name: "Chidera Nwachukwu-Featherstonehaugh" },
        time: ago(15000),
        durationMs: 0,
        answered: false,
        cause: "cancelled",
      },
    ],
  };
  const trunks = [
    {
      id: "t_carrier",
      name: "Carrier",
      enabled: true,
      gateways: [
        { host: "sip.carrier.example", port: 5061, transport: "tls", priority: 1 },
        { host: "sip2.carrier.example", transport: "tls", priority: 2 },
      ],
      sources: [{ prefix: "203.0.113.0/28" }],
      in: [{ match: "0([1-9].*)", with: "+34$1" }],
      out: [{ match: "\\+34(.*)", with: "$1" }],
      identity: "pai",
      srtp: "optional",
      codecs: ["PCMA", "opus"],
      passwordSet: true,
      register: true,
      username: "34910000000",
      maxCalls: 20,
      emergency: true,
      rev: 1,
    },
    {
      id: "t_pbx",
      name: "Old PBX",
      enabled: true,
      gateways: [{ host: "10.0.4.2", port: 5060, transport: "tcp", priority: 1 }],
      register: false,
      maxCalls: 0,
      rev: 1,
    },
  ];
  const trunkStatus = [
    {
      trunk: "t_carrier",
      registered: true,
      calls: 1,
      since: ago(600),
      gateways: [
        { address: "sip.carrier.example:5061", reachable: true, roundTripMs: 14, checked: ago(1) },
        { address: "sip2.carrier.example:5061", reachable: true, roundTripMs: 31, checked: ago(1) },
      ],
    },
    {
      trunk: "t_pbx",
      registered: false,
      error: "10.0.4.2 does not answer over TCP: connection refused.",
      calls: 0,
      since: ago(18),
      gateways: [{ address: "10.0.4.2:5060", reachable: false, roundTripMs: 0, checked: ago(1) }],
    },
  ];
  const records = makeRecords();
  return {
    users,
    places,
    clients,
    bindings,
    stays,
    recent,
    trunks,
    trunkStatus,
    records,
    public: {
      name: "St. Brigid’s",
      country: "ES",
      methods: ["password", "pin"],
      emergency: ["112"],
      sip: { path: "/sip", realm: "mock.test" },
    },
    newClient(thumbprint, admitted) {
      const n = clients.filter((c) => c.id.startsWith("c_here")).length + 1;
      const c = {
        id: `c_here${n}`,
        name: admitted ? (n === 1 ? "Ward 3, desk 4" : `Reception ${n}`) : "Chromium on Linux",
        kind: "browser",
        state: admitted ? "admitted" : "waiting",
        placeId: admitted ? "p_w3" : undefined,
        placeName: admitted ? "Ward 3" : undefined,
        thumbprint,
        created: ago(0),
        reached: true,
        rev: 1,
      };
      clients.push(c);
      return c;
    },
    addUser({ login, name, number, numbers, roles = [] }) {
      const u = {
        id: `u_${login}`,
        login,
        name,
        numbers: numbers ?? (number ? [number] : []),
        roles,
        calls: {},
        rev: 1,
      };
      users.push(u);
      return u;
    },
    contacts(match) {
      const text = match.toLowerCase();
      return users
        .filter((u) => !u.disabled)
        .flatMap((u) =>
          u.numbers.map((number) => ({
            name: u.name,
            number,
            here: bindings.some((b) => b.user === u.id),
          })),
        )
        .filter((c) => text && (c.name.toLowerCase().includes(text) || c.number.includes(text)));
    },
  };
}

function makeRecords() {
  const figures = (codec, lost) => ({
    codec,
    transport: "UDP/TLS/RTP/SAVPF",
    received: 9610,
    sent: 9604,
    lost,
    discarded: 0,
    farLost: 2,
    jitterMs: 4,
    farJitterMs: 6,
    roundTripMs: 19,
  });
  return [
    {
      id: "k_r1",
      from: { number: "+34600123456", name: "Lucía Vidal" },
      to: "+34910000001",
      user: "u_ana",
      direction: "inbound",
      offered: ago(190),
      rang: ago(189.9),
      answered: ago(189.8),
      ended: ago(186.6),
      cause: "normal",
      endedBy: "caller",
      durationMs: 192_000,
      userName: "Ana Pereira",
      legs: [
        {
          leg: "k_r1.1",
          sipCall: "7f3c@carrier.example",
          trunk: "t_carrier",
          trunkName: "Carrier",
          number: "+34600123456",
          cause: "normal",
          voice: {
            ...figures("PCMA", 3),
            transport: "RTP/AVP",
            firstVoice: ago(189.79),
            lastVoice: ago(186.61),
          },
        },
        {
          leg: "k_r1.2",
          sipCall: "9b1e@roamline",
          client: "c_w3d1",
          clientName: "Ward 3, desk 1",
          user: "u_ana",
          cause: "normal",
          voice: {
            ...figures("PCMA", 154),
            farLost: 610,
            farJitterMs: 38,
            firstVoice: ago(189.78),
            lastVoice: ago(186.9),
          },
        },
      ],
    },
    {
      id: "k_r2",
      from: { number: "1002", name: "Ben Okafor" },
      to: "1003",
      user: "u_chi",
      callerBy: "u_ben",
      direction: "internal",
      offered: ago(260),
      ended: ago(259.5),
      cause: "not signed in",
      endedBy: "server",
      durationMs: 0,
      userName: "Chidera Nwachukwu-Featherstonehaugh",
      callerByName: "Ben Okafor",
      legs: [],
    },
    {
      id: "k_r3",
      from: { number: "1001", name: "Ana Pereira" },
      to: "+34600999888",
      callerBy: "u_ana",
      direction: "outbound",
      offered: ago(300),
      rang: ago(299.9),
      ended: ago(299.5),
      cause: "busy",
      endedBy: "callee",
      durationMs: 0,
      callerByName: "Ana Pereira",
      legs: [],
    },
    {
      id: "k_r4",
      durationMs: 168_000,
      callerByName: "Fay Moreau",
      from: { number: "1006", name: "Fay Moreau" },
      to: "112",
      callerBy: "u_fay",
      direction: "outbound",
      emergency: true,
      offered: ago(1400),
      answered: ago(1399.8),
      ended: ago(1397),
      cause: "normal",
      endedBy: "callee",
      legs: [],
    },
  ];
}
