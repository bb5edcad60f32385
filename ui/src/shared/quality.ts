import type { Figures } from "./model";

/** The voice of one leg over one interval. */
export interface Sample {
  /** Seconds since 1970. */
  at: number;
  /** Packets lost of those that should have come, both ways the worse one, in percent. */
  loss: number;
  /** Milliseconds, the worse of both ways. */
  jitter: number;
  /** Milliseconds; 0 if not measured. */
  roundTrip: number;
}

/** The counts of which two make a Sample. */
export type Counts = Pick<
  Figures,
  "received" | "sent" | "lost" | "farLost" | "jitterMs" | "farJitterMs" | "roundTripMs"
>;

/** What happened between two readings of the same leg. */
export function sample(before: Counts, now: Counts, at: number): Sample {
  const share = (lost: number, arrived: number) =>
    lost + arrived > 0 ? (100 * lost) / (lost + arrived) : 0;
  const grown = (a: number, b: number) => Math.max(0, b - a);
  const lost = grown(before.lost, now.lost);
  const farLost = grown(before.farLost, now.farLost);
  const sent = grown(before.sent, now.sent);
  return {
    at,
    loss: Math.max(
      share(lost, grown(before.received, now.received)),
      sent > 0 ? Math.min(100, (100 * farLost) / sent) : 0,
    ),
    jitter: Math.max(now.jitterMs, now.farJitterMs),
    roundTrip: now.roundTripMs,
  };
}

export type Quality = "unknown" | "good" | "fair" | "poor";

/**
 * The quality of the last samples in a word; unknown before there are two.
 */
export function judge(samples: readonly Sample[]): Quality {
  const last = samples.slice(-5);
  if (last.length < 2) return "unknown";
  const mean = (of: (s: Sample) => number) => last.reduce((sum, s) => sum + of(s), 0) / last.length;
  return grade({
    loss: mean((s) => s.loss),
    jitter: mean((s) => s.jitter),
    roundTrip: mean((s) => s.roundTrip),
  });
}

/**
 * The quality in a word. Limits follow what ITU-T G.107 and G.114 call
 * noticeable: loss over 1 % and 4 %, jitter over 30 and 60 ms, one way over
 * 150 and 300 ms.
 */
export function grade({ loss, jitter, roundTrip }: Omit<Sample, "at">): "good" | "fair" | "poor" {
  if (loss > 4 || jitter > 60 || roundTrip > 600) return "poor";
  if (loss > 1 || jitter > 30 || roundTrip > 300) return "fair";
  return "good";
}
