/**
 * How long to wait before attempt n (from 0) in milliseconds: doubling from
 * 500 ms to 15 s, half of it by chance, so that a ward full of pages does not
 * come back in one instant.
 */
export function backoff(n: number, random: number = Math.random()): number {
  const whole = Math.min(15_000, 500 * 2 ** Math.min(n, 10));
  return Math.round(whole / 2 + (whole / 2) * random);
}

/** Resolves after ms, or at once when the signal ends or the network comes back. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
    signal?.addEventListener("abort", done);
  });
}
