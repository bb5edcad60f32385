import { Button, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { clock, pretty, when } from "../shared/format";
import type { Call, Client, Leg } from "../shared/model";
import { words } from "../shared/words";
import { useApi, useSite } from "./live";
import { Ask, Head, List, State, useSheet } from "./parts";
import { follow } from "./route";
import { TrunkTrouble } from "./TrunkTrouble";
import { trunkState } from "./trunkState";
import { say } from "./words";

/** The site at one glance. */
export function Now() {
  const api = useApi();
  const clients = useQuery({ queryKey: ["clients", ""], queryFn: () => api.clients() });
  const waiting = clients.data?.items.filter((c) => c.state === "waiting").length ?? 0;
  return (
    <>
      <Head title={say.now.title} />
      {waiting > 0 && (
        <div className="hint">
          <strong>{say.now.waiting(waiting)}</strong>
          <a href="/console/clients?match=" onClick={follow}>
            {say.now.look}
          </a>
        </div>
      )}
      <section aria-labelledby="running">
        <Title order={2} size="h4" id="running" mb="sm">
          {say.now.calls}
        </Title>
        <Running />
      </section>
      <section aria-labelledby="where">
        <Title order={2} size="h4" id="where" mb="sm">
          {say.now.clients}
        </Title>
        <Where clients={clients} />
      </section>
      <section aria-labelledby="trunks">
        <Title order={2} size="h4" id="trunks" mb="sm">
          {say.now.trunks}
        </Title>
        <TrunkStates />
      </section>
    </>
  );
}

function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function Running() {
  const { calls } = useSite();
  const api = useApi();
  const now = useNow();
  const [ending, setEnding] = useSheet<Call>();
  const list = Object.values(calls).sort((a, b) => a.offered.localeCompare(b.offered));
  if (list.length === 0) return <div className="card pad quiet nothing">{say.now.noCalls}</div>;
  return (
    <div className="card list">
      {list.map((c) => (
        <div key={c.id} className="row">
          <div className="row-main">
            <a className="row-title wrap" href={`/console/calls/${c.id}`} onClick={follow}>
              <bdi>{caller(c)}</bdi> → <bdi>{called(c)}</bdi>
            </a>
            <div className="quiet">
              {[c.emergency && say.calls.emergency, whereabouts(c)].filter(Boolean).join(" · ")}
            </div>
          </div>
          <State is={c.state === "talking" ? "good" : "warn"}>
            {c.state === "talking" || c.state === "parked" ? say.now[c.state] : c.state}
          </State>
          <span className="row-time">{clock(now - Date.parse(c.answered ?? c.offered))}</span>
          <Button variant="default" onClick={() => setEnding(c)}>
            {say.now.end}
          </Button>
        </div>
      ))}
      {ending && (
        <Ask
          title={say.now.endTitle}
          text={say.now.endText(caller(ending), called(ending))}
          yes={say.now.end}
          send={() => api.end(ending.id)}
          onClose={() => setEnding(undefined)}
        />
      )}
    </div>
  );
}

export function caller(c: Pick<Call, "from" | "callerByName">): string {
  return c.callerByName || c.from.name || pretty(c.from.number) || words.phone.private;
}

export function called(c: Pick<Call, "to" | "userName">): string {
  return c.userName || pretty(c.to);
}

function whereabouts(c: Call): string {
  const name = (l: Leg) => l.clientName || l.trunkName || "";
  return c.legs
    .filter((l) => l.state !== "ended")
    .map(name)
    .filter(Boolean)
    .join(" – ");
}

function Where({
  clients,
}: {
  clients: { isPending: boolean; error: Error | null; data?: { items: Client[] } };
}) {
  const { bindings, reached, calls } = useSite();
  const here = clients.data?.items.filter((c) => c.state === "admitted") ?? [];
  const places = [...new Set(here.map((c) => c.placeName))].sort((a, b) =>
    a === "" ? 1 : b === "" ? -1 : a.localeCompare(b),
  );
  const busy = (id: string) => {
    const call = Object.values(calls).find((c) =>
      c.legs.some((l) => l.client === id && l.state !== "ended"),
    );
    if (!call) return "";
    return call.state === "talking" ? say.now.talking : say.now.ringing;
  };
  return (
    <List of={{ ...clients, data: clients.data && { items: here } }} empty={say.now.noClients}>
      {places.map((place) => (
        <div key={place} className="place">
          <h3>{place || say.now.noPlace}</h3>
          <ul className="desks">
            {here
              .filter((c) => c.placeName === place)
              .map((c) => {
                const b = bindings[c.id];
                const up = reached[c.id] ?? c.reached;
                return (
                  <li key={c.id} className="desk" data-bound={!!b || undefined}>
                    <a
                      className="truncate desk-name"
                      href={`/console/clients?match=${encodeURIComponent(c.name)}`}
                      onClick={follow}
                    >
                      {c.name}
                    </a>
                    <div className="desk-who wrap">
                      {b ? (
                        <bdi>{b.userName}</bdi>
                      ) : (
                        <span className="quiet">{say.now.nobody}</span>
                      )}
                    </div>
                    <div className="desk-foot quiet">
                      <State is={up ? "good" : "bad"}>
                        {busy(c.id) || (up ? say.now.reached : say.now.unreached)}
                      </State>
                      {b && (
                        <span>{say.now.since(when(b.since, new Date(), words.yesterday))}</span>
                      )}
                    </div>
                  </li>
                );
              })}
          </ul>
        </div>
      ))}
    </List>
  );
}

function TrunkStates() {
  const api = useApi();
  const { trunks: status } = useSite();
  const trunks = useQuery({ queryKey: ["trunks"], queryFn: api.trunks });
  return (
    <List of={trunks} empty={say.now.noTrunks}>
      {trunks.data?.items.map((t) => {
        const s = trunkState(t, status[t.id]);
        return (
          <div key={t.id} className="row">
            <div className="row-main">
              <a className="row-title" href="/console/trunks" onClick={follow}>
                {t.name}
              </a>
              {s.why && <TrunkTrouble trunk={t} status={status[t.id]} brief />}
            </div>
            <State is={s.is}>{s.word}</State>
            <span className="row-time">{say.trunks.calls(status[t.id]?.calls ?? 0)}</span>
          </div>
        );
      })}
    </List>
  );
}
