import type { Call, CallRecord, Figures } from "../shared/model";
import { grade } from "../shared/quality";

/** The voice of one leg in one direction. */
export interface Way {
  /** Heard from the far end, or sent to it. */
  way: "heard" | "sent";
  packets: number;
  lost: number;
  /** Percent of what should have come. */
  loss: number;
  /** Milliseconds. */
  jitter: number;
  mos: number;
  quality: "good" | "fair" | "poor";
}

/** Both directions of a leg; one in which nothing went is left out. */
export function ways(f: Figures): Way[] {
  const one = (way: Way["way"], packets: number, lost: number, jitter: number): Way => {
    // What we sent contains what was lost; what we received does not.
    const all = way === "sent" ? packets : packets + lost;
    const loss = all ? Math.min(100, (100 * lost) / all) : 0;
    const facts = { loss, jitter, roundTrip: f.roundTripMs };
    return { way, packets, lost, loss, jitter, mos: mos(facts), quality: grade(facts) };
  };
  return [
    one("heard", f.received, f.lost, f.jitterMs),
    one("sent", f.sent, f.farLost, f.farJitterMs),
  ].filter((w) => w.packets > 0);
}

/**
 * An estimate of how people would rate a voice, 1 to 4.4, from loss in percent
 * and times in milliseconds: the E-model (ITU-T G.107, annex B) with its
 * defaults, the delay of G.113 and the loss robustness of G.711 with
 * concealment (Ie 0, Bpl 25.1). The jitter buffer is taken as twice the jitter.
 */
export function mos({
  loss,
  jitter,
  roundTrip,
}: {
  loss: number;
  jitter: number;
  roundTrip: number;
}) {
  const delay = roundTrip / 2 + 2 * jitter + 20;
  const late = 0.024 * delay + 0.11 * Math.max(0, delay - 177.3);
  const r = 93.2 - late - (95 * loss) / (loss + 25.1);
  if (r <= 0) return 1;
  return Math.max(1, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r));
}

/** A piece of time in a call, in milliseconds since it was offered. */
export interface Span {
  from: number;
  to: number;
}

/** What the picture of a call shows over one time axis. */
export interface Score {
  /** Milliseconds from offer to end, or to now. */
  length: number;
  waiting?: Span;
  talking?: Span;
  legs: { name: string; codec: string; voice?: Span; ways: Way[]; roundTrip: number }[];
}

/** Lays a call out in time. now, in milliseconds since 1970, ends one that still runs. */
export function score(of: Call | CallRecord, unknown: string, now: number): Score {
  const start = Date.parse(of.offered);
  const end = of.ended ? Date.parse(of.ended) : now;
  const length = Math.max(1, end - start);
  const at = (t: string) => Math.min(length, Math.max(0, Date.parse(t) - start));
  const answered = of.answered ? at(of.answered) : undefined;
  return {
    length,
    waiting: { from: 0, to: answered ?? length },
    talking: answered === undefined ? undefined : { from: answered, to: length },
    legs: of.legs.map((l) => {
      const f: Figures | undefined = "voice" in l ? l.voice : l.figures;
      const name = l.clientName || l.trunkName || l.userName || l.number || unknown;
      if (!f) return { name, codec: "", ways: [], roundTrip: 0 };
      const both = ways(f);
      const from = f.firstVoice ? at(f.firstVoice) : (answered ?? 0);
      const to = of.ended && f.lastVoice ? at(f.lastVoice) : length;
      const voice = both.length ? { from, to: Math.max(from, to) } : undefined;
      return { name, codec: f.codec, voice, ways: both, roundTrip: f.roundTripMs };
    }),
  };
}

/** Where an axis of so many milliseconds has its marks: at most six, at round times. */
export function ticks(length: number): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200];
  const step = 1000 * (steps.find((s) => length / (s * 1000) <= 6) ?? 86_400);
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step);
}
