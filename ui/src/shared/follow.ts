import { backoff, pause } from "./backoff";
import type { Api } from "./calls";
import type { News } from "./model";
import { StreamReader } from "./sse";

/** The server sends something at least every 15 s; after so long it is gone. */
const silence = 40_000;

/**
 * Follows the news until signal ends: it reconnects by itself and tells with
 * each change whether the stream is up. The present state is told again after
 * every reconnection.
 */
export async function follow(
  api: Api,
  signal: AbortSignal,
  each: (news: News) => void,
  up: (up: boolean) => void,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    const one = new AbortController();
    const stop = () => one.abort();
    signal.addEventListener("abort", stop);
    let quiet = setTimeout(stop, silence);
    try {
      const reader = (await api.stream(one.signal)).getReader();
      const text = new TextDecoder();
      const stream = new StreamReader();
      up(true);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(quiet);
        quiet = setTimeout(stop, silence);
        attempt = 0;
        for (const e of stream.read(text.decode(value, { stream: true }))) {
          const news = parse(e.event, e.data);
          if (news) each(news);
        }
      }
    } catch {
      // Whatever it was, the way on is the same: wait and try again.
    } finally {
      clearTimeout(quiet);
      signal.removeEventListener("abort", stop);
      one.abort();
    }
    up(false);
    if (!signal.aborted) await pause(backoff(attempt), signal);
  }
}

function parse(event: string, data: string): News | undefined {
  try {
    return { ...(JSON.parse(data || "{}") as object), event } as News;
  } catch {
    return undefined;
  }
}
