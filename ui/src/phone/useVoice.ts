import { useEffect, useRef, useState } from "react";
import type { Call } from "../shared/model";
import { type Counts, type Sample, sample } from "../shared/quality";
import { useAdmitted, useLive } from "./context";
import type { LineCall } from "./linecall";

/** Ten minutes at one a second. */
const most = 600;

/**
 * The voice of a call, a sample each second: from the server's figures, or
 * from the browser's own where the server tells none.
 */
export function useVoice(call: LineCall): readonly Sample[] {
  const { here } = useAdmitted();
  const { calls } = useLive();
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const last = useRef<{ counts: Counts; at: number; ofServer: boolean }>(undefined);
  const figures = runningCall(Object.values(calls), here.client.id, call)?.legs.find(
    (l) => l.client === here.client.id && l.state !== "ended",
  )?.figures;
  const latest = useRef(figures);
  latest.current = figures;
  useEffect(() => {
    const timer = setInterval(async () => {
      const told = latest.current;
      const counts = told ?? (await call.counts().catch(() => undefined));
      if (!counts) return;
      const at = Date.now() / 1000;
      const before = last.current;
      last.current = { counts, at, ofServer: !!told };
      if (!before || before.ofServer !== !!told) return;
      const now = sample(before.counts, counts, at);
      setSamples((s) => [...s.slice(1 - most), now]);
    }, 1000);
    return () => clearInterval(timer);
  }, [call]);
  return samples;
}

/** Where the person talked before the call came along to this client; empty if it did not. */
export function cameFrom(running: Call | undefined, client: string): string {
  const legs = running?.legs ?? [];
  const mine = legs.findLast((l) => l.client === client && l.state !== "ended");
  const before = legs.filter((l) => mine && l.user === mine.user && l !== mine);
  const last = before.at(-1);
  return last && last.client !== client ? (last.clientName ?? "") : "";
}

/** The running call, as the server tells it, that call is at this client. */
export function runningCall(
  calls: readonly Call[],
  client: string,
  call: Pick<LineCall, "direction" | "number">,
): Call | undefined {
  const mine = calls.filter((c) => c.legs.some((l) => l.client === client && l.state !== "ended"));
  if (mine.length < 2) return mine[0];
  return mine.find((c) => (call.direction === "in" ? c.from.number : c.to) === call.number);
}
