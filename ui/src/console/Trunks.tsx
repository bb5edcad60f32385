import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Trunk } from "../shared/model";
import { useApi, useSite } from "./live";
import { Ask, Head, List, State, useSheet } from "./parts";
import { TrunkForm } from "./TrunkForm";
import { TrunkTrouble } from "./TrunkTrouble";
import { trunkState } from "./trunkState";
import { say } from "./words";

/** The ways out of the house, and whether they work. */
export function Trunks() {
  const api = useApi();
  const { trunks: status } = useSite();
  const [editing, setEditing] = useSheet<Trunk | "new">();
  const [removing, setRemoving] = useSheet<Trunk>();
  const trunks = useQuery({ queryKey: ["trunks"], queryFn: api.trunks });
  return (
    <>
      <Head title={say.trunks.title}>
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing("new")}>
          {say.trunks.add}
        </Button>
      </Head>
      <List of={trunks} empty={say.trunks.none}>
        {trunks.data?.items.map((t) => {
          const now = status[t.id];
          const s = trunkState(t, now);
          return (
            <div key={t.id} className="row">
              <div className="row-main">
                <button type="button" className="row-title" onClick={() => setEditing(t)}>
                  {t.name}
                </button>
                <ul className="ways">
                  {(now?.gateways ?? []).map((g) => (
                    <li key={g.address} className="wrap">
                      <span className="dot" data-is={g.reachable ? "good" : "bad"} />
                      <span>{g.address}</span>
                      <span>
                        {g.reachable ? say.trunks.roundTrip(g.roundTripMs) : say.trunks.mute}
                      </span>
                    </li>
                  ))}
                  {!now && t.gateways.map((g) => <li key={g.host}>{g.host}</li>)}
                </ul>
                {(s.why || s.is === "warn") && <TrunkTrouble trunk={t} status={now} brief />}
              </div>
              <State is={s.is}>{s.word}</State>
              <span className="row-time">{say.trunks.calls(now?.calls ?? 0)}</span>
              <Button
                variant="default"
                aria-label={`${say.remove} ${t.name}`}
                onClick={() => setRemoving(t)}
              >
                {say.remove}
              </Button>
            </div>
          );
        })}
      </List>
      {editing && (
        <TrunkForm
          trunk={editing === "new" ? undefined : editing}
          status={editing === "new" ? undefined : status[editing.id]}
          onClose={() => setEditing(undefined)}
        />
      )}
      {removing && (
        <Ask
          title={say.trunks.removeTitle(removing.name)}
          text={say.trunks.removeText}
          yes={say.remove}
          send={() => api.removeTrunk(removing.id, removing.rev)}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </>
  );
}
