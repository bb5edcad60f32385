import type { Gateway, Rewrite, Source, Trunk } from "../shared/model";
import type { components } from "../shared/schema";

type Body = components["schemas"]["TrunkBody"];

export const transports = ["udp", "tcp", "tls"] as const;
export const codecs = ["PCMA", "PCMU", "opus"] as const;

/** A trunk as it stands in a form: what is typed stays text until it is sent. */
export interface Fields {
  name: string;
  enabled: boolean;
  gateways: GatewayFields[];
  register: boolean;
  username: string;
  /** Empty: stays as it is. */
  password: string;
  maxCalls: string;
  emergency: boolean;
  sources: SourceFields[];
  dials: string;
  in: Rewrite[];
  out: Rewrite[];
  identity: "from" | "pai";
  domain: string;
  advertise: string;
  codecs: string[];
  srtp: "off" | "optional" | "required";
  symmetric: boolean;
}

export interface GatewayFields {
  host: string;
  port: string;
  transport: Gateway["transport"];
  priority: string;
}

export interface SourceFields {
  prefix: string;
  port: string;
  transport: NonNullable<Source["transport"]> | "";
}

/** A further gateway, tried after the others. */
export function nextGateway(others: readonly GatewayFields[]): GatewayFields {
  const last = Math.max(-1, ...others.map((g) => Number(g.priority) || 0));
  const transport = others.at(-1)?.transport ?? "udp";
  return { host: "", port: "", transport, priority: String(last + 1) };
}

/** The form of a trunk, or of a new one. */
export function fieldsOf(trunk?: Trunk): Fields {
  const number = (n: number | undefined) => (n ? String(n) : "");
  const gateways = trunk?.gateways.map((g) => ({
    host: g.host,
    port: number(g.port),
    transport: g.transport,
    priority: String(g.priority ?? 0),
  }));
  return {
    name: trunk?.name ?? "",
    enabled: trunk?.enabled ?? true,
    gateways: gateways?.length ? gateways : trunk ? [] : [nextGateway([])],
    register: trunk?.register ?? false,
    username: trunk?.username ?? "",
    password: "",
    maxCalls: number(trunk?.maxCalls),
    emergency: trunk?.emergency ?? false,
    sources: (trunk?.sources ?? []).map((s) => ({
      prefix: s.prefix,
      port: number(s.port),
      transport: s.transport ?? "",
    })),
    dials: (trunk?.dials ?? []).join(", "),
    in: trunk?.in ?? [],
    out: trunk?.out ?? [],
    identity: trunk?.identity ?? "from",
    domain: trunk?.domain ?? "",
    advertise: trunk?.advertise ?? "",
    codecs: trunk?.codecs ?? [],
    srtp: trunk?.srtp ?? "off",
    symmetric: trunk?.symmetric ?? false,
  };
}

/** What is sent: every field, so that one that was emptied is empty there too. */
export function bodyOf(f: Fields): Body {
  return {
    name: f.name.trim(),
    enabled: f.enabled,
    gateways: f.gateways.map((g) => ({
      host: g.host.trim(),
      port: Number(g.port) || 0,
      transport: g.transport,
      priority: Number(g.priority) || 0,
    })),
    register: f.register,
    username: f.username.trim(),
    maxCalls: Number(f.maxCalls) || 0,
    emergency: f.emergency,
    sources: f.sources.map((s) => ({
      prefix: s.prefix.trim(),
      port: Number(s.port) || 0,
      transport: s.transport || undefined,
    })),
    dials: f.dials.split(/[\s,;]+/).filter(Boolean),
    in: f.in,
    out: f.out,
    identity: f.identity,
    domain: f.domain.trim(),
    advertise: f.advertise.trim(),
    codecs: f.codecs as Body["codecs"],
    srtp: f.srtp,
    symmetric: f.symmetric,
  };
}

/** What a part of the form is given: the fields, and a way to change some of them. */
export interface Part {
  f: Fields;
  set: (change: Partial<Fields>) => void;
}

export function digits(text: string): string {
  return text.replace(/\D/g, "");
}

/** The part of the fold to which a field belongs. */
export type Folded = "calls" | "numbers" | "identity" | "voice";

export const parts: Record<Folded, readonly (keyof Fields)[]> = {
  calls: ["maxCalls", "emergency", "sources"],
  numbers: ["dials", "in", "out"],
  identity: ["identity", "domain", "advertise"],
  voice: ["codecs", "srtp", "symmetric"],
};

/** The parts of the fold in which something differs from a new trunk. */
export function special(f: Fields): Folded[] {
  const plain = fieldsOf();
  const differs = (k: keyof Fields) => JSON.stringify(f[k]) !== JSON.stringify(plain[k]);
  return (Object.keys(parts) as Folded[]).filter((p) => parts[p].some(differs));
}

/** Whether a fault that the server found ("body.in[0].match") stands inside the fold. */
export function folded(where: string): boolean {
  const field = /^body\.(\w+)/.exec(where)?.[1];
  return Object.values(parts).some((names) => (names as readonly string[]).includes(field ?? ""));
}
