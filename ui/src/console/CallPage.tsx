import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Problem } from "../shared/access";
import { clock } from "../shared/format";
import type { Call, CallRecord, TraceEntry } from "../shared/model";
import { words } from "../shared/words";
import { LadderPicture } from "./LadderPicture";
import { named } from "./ladder";
import { useApi, useSite } from "./live";
import { called, caller } from "./Now";
import { outcome } from "./outcome";
import { Fault, List } from "./parts";
import { follow } from "./route";
import { Figures, Timeline } from "./VoicePicture";
import { score } from "./voice";
import { say } from "./words";

/** All that is known of one call, running or over. */
export function CallPage({ id }: { id: string }) {
  const api = useApi();
  const running = useSite().calls[id];
  const record = useQuery({
    queryKey: ["records", "one", id],
    queryFn: () => api.record(id),
    enabled: !running,
  });
  const story = useQuery({
    queryKey: ["story", id],
    queryFn: () => api.story(id),
    retry: false,
    // A running call's story grows.
    refetchInterval: running ? 2000 : false,
  });
  const [chosen, setChosen] = useState<number>();
  const of = running ?? record.data;
  const entries = useMemo(
    () => named(story.data?.items ?? [], of ? namesIn(of) : {}),
    [story.data, of],
  );
  // A running call is drawn anew with each piece of its news.
  const picture = useMemo(() => of && score(of, words.unknownName, Date.now()), [of]);
  const gone = story.error instanceof Problem && story.error.status === 404;
  return (
    <>
      <a className="back" href="/console/calls" onClick={follow}>
        ← {say.calls.title}
      </a>
      {of ? <Summary of={of} /> : record.error && <Fault error={record.error} />}
      {of && <Outcome of={of} />}
      {of && picture && (entries.length > 0 || picture.legs.some((l) => l.voice)) && (
        <section aria-labelledby="voice">
          <Title order={2} size="h4" id="voice" mb="sm">
            {say.calls.voice}
          </Title>
          <div className="card list voice-picture">
            <Timeline
              of={picture}
              story={entries}
              start={of.offered}
              chosen={entries[chosen ?? -1]}
            />
          </div>
          <Figures of={picture} />
        </section>
      )}
      <section aria-labelledby="story">
        <Title order={2} size="h4" id="story" mb="sm">
          {say.calls.story}
        </Title>
        {gone || story.data?.items.length === 0 ? (
          <div className="card pad quiet nothing">{say.calls.gone}</div>
        ) : (
          <List of={story} empty={say.calls.gone}>
            <div className="story">
              <LadderPicture story={entries} chosen={chosen} choose={setChosen} />
              <aside className="message" aria-live="polite" aria-label={say.calls.story}>
                <Message entry={entries[chosen ?? -1]} />
              </aside>
            </div>
          </List>
        )}
      </section>
    </>
  );
}

/** What the call's legs are called: by the identifiers that a story may hold. */
function namesIn(of: Call | CallRecord): Record<string, string> {
  const names: Record<string, string> = {};
  for (const l of of.legs) {
    if (l.client && l.clientName) names[l.client] = l.clientName;
    if (l.trunk && l.trunkName) names[l.trunk] = l.trunkName;
  }
  return names;
}

function Message({ entry }: { entry?: TraceEntry }) {
  if (!entry) return <span className="quiet">{say.calls.pick}</span>;
  return (
    <>
      <strong className="wrap">{entry.text}</strong>
      <div className="quiet">
        {[entry.from && `${entry.from} → ${entry.to}`, new Date(entry.at).toLocaleTimeString()]
          .filter(Boolean)
          .join(" · ")}
      </div>
      {entry.body && <pre tabIndex={0}>{entry.body.trim()}</pre>}
    </>
  );
}

function Summary({ of }: { of: Call | CallRecord }) {
  const over = "endedBy" in of ? of : undefined;
  return (
    <div>
      <Title order={1} size="h2" className="wrap">
        <bdi>{caller(of)}</bdi> → <bdi>{called(of)}</bdi>
      </Title>
      <div className="quiet wrap">
        {[
          say.calls.direction[of.direction],
          of.emergency && say.calls.emergency,
          new Date(of.offered).toLocaleString(),
          "state" in of ? of.state : of.answered && clock(of.durationMs),
          over && over.cause !== "normal" && over.cause,
          over && say.calls.endedBy[over.endedBy],
          of.id,
        ]
          .filter(Boolean)
          .join(" · ")}
      </div>
    </div>
  );
}

/** Why a call came to nothing and what to do; nothing if it went well. */
function Outcome({ of }: { of: Call | CallRecord }) {
  const told = "endedBy" in of ? outcome(of.cause) : undefined;
  if (!told) return null;
  return (
    <div className="trouble" data-is={told.ours ? "bad" : ""}>
      <strong>{told.what}</strong>
      <div>{told.next}</div>
    </div>
  );
}
