import { useEffect, useRef, useState } from "react";
import type { Call, Figures } from "../shared/model";
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
  const figures = figuresFor(Object.values(calls), here.client.id, call);
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

/** The figures of this client's leg in the running call that is call. */
function figuresFor(calls: Call[], client: string, call: LineCall): Figures | undefined {
  const mine = calls.filter((c) => c.legs?.some((l) => l.client === client && l.state !== "ended"));
  const one =
    mine.length > 1
      ? mine.find((c) => (call.direction === "in" ? c.from.number : c.to) === call.number)
      : mine[0];
  return one?.legs.find((l) => l.client === client)?.figures;
}
