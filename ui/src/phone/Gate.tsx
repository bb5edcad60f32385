import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Problem } from "../shared/access";
import { backoff } from "../shared/backoff";
import { follow } from "../shared/follow";
import type { Here, News } from "../shared/model";
import { Sheet } from "../shared/Sheet";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { CallStage } from "./CallStage";
import { type Admitted, type Live, ProvideAdmitted, usePhone } from "./context";
import { Idle } from "./Idle";
import { occupied, phoneAct } from "./keys";
import { Line } from "./line";
import { FullPage, Loading } from "./pages";
import { Resting } from "./Resting";
import { Ringing } from "./Ringing";
import { Waiting } from "./Waiting";

const loadDevices = () => import("./DevicesPanel");
const DevicesPanel = lazy(loadDevices);
const loadSettings = () => import("./SettingsPanel");
const SettingsPanel = lazy(loadSettings);
const loadKeys = () => import("./KeysList");
const KeysList = lazy(loadKeys);

/** Decides by the client's state which face the page shows. */
export function Gate() {
  const { api, lead } = usePhone();
  const { role, otherBusy } = useStore(lead.store);
  const here = useQuery({
    queryKey: ["here"],
    queryFn: api.here,
    retry: (n, e) => !(e instanceof Problem && e.status === 403) && n < 1000,
    retryDelay: (n) => backoff(n),
    // A client that waits gets no news yet.
    refetchInterval: (q) => (q.state.data?.client.state === "admitted" ? false : 3000),
  });
  const refused = here.error instanceof Problem && here.error.status === 403;
  if (refused || here.data?.client.state === "revoked")
    return (
      <FullPage title={words.revoked.title} text={words.revoked.text} next={words.revoked.next} />
    );
  if (!here.data) return <Loading />;
  if (here.data.client.state === "waiting") return <Waiting client={here.data.client} />;
  if (role === "asking") return <Loading />;
  if (role === "follower")
    return (
      <FullPage
        title={words.otherTab.title}
        text={words.otherTab.text}
        next={otherBusy ? words.otherTab.busy : undefined}
        action={otherBusy ? undefined : { name: words.otherTab.take, run: () => lead.take() }}
      />
    );
  return <Open key={here.data.client.id} here={here.data} />;
}

/** An admitted client in the leading tab: the line is up, news come in. */
function Open({ here }: { here: Here }) {
  const phone = usePhone();
  const { api, devices, lead } = phone;
  const [showing, setShowing] = useState(false);
  const [settling, setSettling] = useState(false);
  const [listing, setListing] = useState(false);
  const [trouble, setTrouble] = useState("");
  // The site's words do not change while the page lives; a new line would drop calls.
  // biome-ignore lint/correctness/useExhaustiveDependencies: one line for each client
  const line = useMemo(
    () => new Line(api.access, here.client.id, here.site, devices),
    [here.client.id],
  );
  useEffect(() => {
    void line.start().catch(() => {});
    return () => line.stop();
  }, [line]);
  useNews(here, line);
  // Whoever comes next does not find it open.
  // biome-ignore lint/correctness/useExhaustiveDependencies: closed for each person anew
  useEffect(() => setSettling(false), [here.user?.id]);
  const { calls } = useStore(line.store);
  useEffect(() => lead.setBusy(calls.length > 0), [lead, calls.length]);

  const { microphone } = useStore(devices.store);
  const call = useCallback(
    (number: string, name?: string) => {
      setTrouble("");
      line.call(number, name).catch(() => {
        setTrouble(words.ended["User Denied Media Access"]!);
        setShowing(true);
      });
    },
    [line],
  );
  const admitted = useMemo<Admitted>(
    () => ({
      here,
      line,
      call,
      showDevices: () => setShowing(true),
      showSettings: () => setSettling(true),
      showKeys: () => setListing(true),
    }),
    [here, line, call],
  );
  // What opens later is there before the server may be gone.
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const load of [loadDevices, loadSettings, loadKeys]) void load().catch(() => {});
    }, 2000);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      const act = phoneAct(e);
      if (!act) return;
      // Ctrl and comma write nothing: they work in a field, too.
      if (act === "keys" ? occupied(e.target) : document.querySelector('[role="dialog"]')) return;
      e.preventDefault();
      if (act === "keys") setListing(true);
      else setShowing(true);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return (
    <ProvideAdmitted value={admitted}>
      {calls.length > 0 ? <CallStage /> : here.user ? <Idle /> : <Resting />}
      <Ringing />
      <Sheet
        opened={showing}
        onClose={() => setShowing(false)}
        title={words.devices.title}
        size="lg"
      >
        <Suspense fallback={<div style={{ minHeight: 480 }} />}>
          <DevicesPanel trouble={microphone === "granted" ? "" : trouble} />
        </Suspense>
      </Sheet>
      <Sheet
        opened={settling && !!here.user}
        onClose={() => setSettling(false)}
        title={words.phone.callsToYou}
      >
        <Suspense fallback={<div style={{ minHeight: 480 }} />}>
          <SettingsPanel onClose={() => setSettling(false)} />
        </Suspense>
      </Sheet>
      <Sheet opened={listing} onClose={() => setListing(false)} title={words.keys.title} size="lg">
        <Suspense>
          <KeysList />
        </Suspense>
      </Sheet>
    </ProvideAdmitted>
  );
}

/** Follows the news and keeps queries and live calls up to date. */
function useNews(here: Here, line: Line) {
  const { api, live } = usePhone();
  const queries = useQueryClient();
  const present = useRef(here);
  present.current = here;
  useEffect(() => {
    const stop = new AbortController();
    const renew = (...names: string[]) => {
      for (const name of names) void queries.invalidateQueries({ queryKey: [name] });
    };
    const each = (news: News) => {
      const { user, client } = present.current;
      switch (news.event) {
        case "ready":
          renew("here", "recent", "settings");
          break;
        case "client":
          renew("here");
          break;
        case "bound":
          if (news.client === client.id) live.set({ notice: undefined, calls: {} });
          renew("here", "recent", "contacts");
          break;
        case "released":
          if (news.binding.client === client.id) {
            const name = user?.name ?? news.binding.userName;
            live.set({ notice: name ? parting(name, news) : undefined, calls: {} });
            queries.setQueryData<Here>(
              ["here"],
              (h) => h && { ...h, user: undefined, binding: undefined },
            );
            queries.removeQueries({ queryKey: ["recent"] });
            queries.removeQueries({ queryKey: ["settings"] });
          }
          renew("here");
          break;
        case "call":
          keepCall(live.get(), news, (calls) => live.set({ calls }));
          if (news.state === "over") renew("recent");
          break;
      }
    };
    let wasUp = false;
    void follow(api, stop.signal, each, (up) => {
      live.set({ streamUp: up });
      // The network broke and is back: find out at once whether the line is, too.
      if (up && wasUp) line.probe();
      wasUp ||= up;
      if (up) live.set({ calls: {} });
    });
    return () => stop.abort();
  }, [api, live, queries, line]);
}

function keepCall(
  { calls }: Live,
  { event: _event, ...call }: Extract<News, { event: "call" }>,
  set: (calls: Live["calls"]) => void,
) {
  const { [call.id]: _, ...others } = calls;
  set(call.state === "over" ? others : { ...others, [call.id]: call });
}

/** Why the line left, in words; empty if the person did it herself. */
function parting(name: string, news: Extract<News, { event: "released" }>): string | undefined {
  if (news.reason === "identified elsewhere")
    return news.by?.clientName ? words.moved(name, news.by.clientName) : words.movedAway(name);
  return words.released[news.reason.startsWith("outside: ") ? "outside" : news.reason]?.(name);
}
